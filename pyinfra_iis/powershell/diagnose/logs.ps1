# What was written about a site: its process's output, the event logs, refused requests in IIS's and HTTP.sys's logs. $Request: site, application, folder (empty: what the site has now), hours.
# uses: diagnose/target
# uses: diagnose/tail
# uses: diagnose/event_text
$Answer = @{ output = @(); events = @(); requests = ''; fields = ''; refused = '' }
$Sources = 'HttpPlatformHandler', 'IIS HttpPlatformHandler*', 'IIS HTTP Bridge*', 'Microsoft-Windows-WAS', 'Microsoft-Windows-IIS-W3SVC', 'Microsoft-Windows-IIS-W3SVC-WP', 'Microsoft-Windows-HttpEvent', 'Application Error'
$Since = [DateTime]::Now.AddHours(-$Request.hours)
# Not asked for by their sources: Windows knows only those that are registered.
$Found = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application', 'System'; StartTime = $Since } -MaxEvents 1000 -ErrorAction SilentlyContinue)
foreach ($Entry in $Found) {
    if (@($Sources | Where-Object { $Entry.ProviderName -like $_ }).Count -eq 0) { continue }
    $Text = Get-EventText $Entry
    if ($Text.Length -gt 6000) { $Text = $Text.Substring(0, 6000) }
    $Answer.events += @{ time = $Entry.TimeCreated.ToUniversalTime().ToString('s') + 'Z'; source = [string] $Entry.ProviderName; id = [int] $Entry.Id; level = [int] $Entry.Level; text = $Text }
}
$Answer.events = [object[]] $Answer.events
# HTTP.sys writes its logs late unless it is asked to.
& ([IO.Path]::Combine([Environment]::SystemDirectory, 'netsh.exe')) http flush logbuffer | Out-Null
$Kernel = [IO.Path]::Combine([Environment]::SystemDirectory, 'LogFiles\HTTPERR')
if ([IO.Directory]::Exists($Kernel)) {
    $Newest = Get-ChildItem -LiteralPath $Kernel -File -Filter 'httperr*.log' | Sort-Object -Property LastWriteTimeUtc | Select-Object -Last 1
    if ($null -ne $Newest) { $Answer.refused = Read-Part $Newest.FullName 0 20000 }
}
if (-not [IO.File]::Exists($Library)) { return $Answer }
$Manager = New-ServerManager
$Target = Find-Target $Manager $Request
if ($null -eq $Target.application) { return $Answer }
$Platform = Get-Platform $Manager $Target $Request
foreach ($File in @(Get-LogFiles ([string] $Platform['stdoutLogFile']) | Select-Object -First 2)) {
    $Answer.output += @{ path = $File.FullName; time = $File.LastWriteTimeUtc.ToString('s') + 'Z'; text = (Read-Part $File.FullName 0 16000) }
}
$Answer.output = [object[]] $Answer.output
$Folder = [IO.Path]::Combine([Environment]::ExpandEnvironmentVariables([string] $Target.site.LogFile.Directory), "W3SVC$($Target.site.Id)")
if ([IO.Directory]::Exists($Folder)) {
    $Newest = Get-ChildItem -LiteralPath $Folder -File -Filter '*.log' | Sort-Object -Property LastWriteTimeUtc | Select-Object -Last 1
    if ($null -ne $Newest) {
        foreach ($Line in [regex]::Matches((Read-Part $Newest.FullName 0 100000), '(?m)^#Fields:.*$')) { $Answer.fields = $Line.Value.Trim() }
        if (-not $Answer.fields) { foreach ($Line in (Get-Content -LiteralPath $Newest.FullName -TotalCount 4)) { if ($Line.StartsWith('#Fields:')) { $Answer.fields = $Line.Trim() } } }
        $Answer.requests = Read-Part $Newest.FullName 0 100000
    }
}
$Manager.Dispose()
$Answer
