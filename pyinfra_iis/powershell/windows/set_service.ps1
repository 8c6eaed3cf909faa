# Changes how a service starts, starts or stops it. $Request: name, start (Automatic, AutomaticDelayed, Manual, Disabled or null), running (true, false or null), timeout (seconds).
# uses: windows/run_program
if ($Request.start) {
    $Words = @{ Automatic = 'auto'; AutomaticDelayed = 'delayed-auto'; Manual = 'demand'; Disabled = 'disabled' }
    $Run = Invoke-Program ([IO.Path]::Combine([Environment]::SystemDirectory, 'sc.exe')) ('config "{0}" start= {1}' -f $Request.name, $Words[$Request.start]) $env:SystemRoot @{} ''
    if ($Run.exit_code -ne 0) { throw "How the service $($Request.name) starts could not be changed on $($env:COMPUTERNAME): $($Run.output.Trim())" }
}
if ($null -ne $Request.running) {
    $Service = Get-Service -Name $Request.name
    $Wanted = 'Stopped'
    if ($Request.running) { $Wanted = 'Running'; Start-Service -Name $Request.name } else { Stop-Service -Name $Request.name }
    $Service.WaitForStatus($Wanted, [TimeSpan]::FromSeconds($Request.timeout))
}
$null
