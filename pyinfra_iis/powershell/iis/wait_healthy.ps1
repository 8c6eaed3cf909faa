# uses: iis/request
function Wait-Healthy($Check, [string] $Release) {
    $Deadline = [DateTime]::UtcNow.AddSeconds($Check.timeout)
    while ($true) {
        $Left = [int] ($Deadline - [DateTime]::UtcNow).TotalMilliseconds
        $Answer = Get-Response $Check.address $Check.host ([Math]::Max(1000, $Left)) (Get-Probe $Check.shared)
        if ($Check.status) { $Healthy = $Answer.status -eq $Check.status }
        else { $Healthy = $Answer.status -ge 100 -and $Answer.status -lt 500 -and $Answer.status -ne 400 }
        if ($Healthy -and (-not $Release -or $Answer.release -eq $Release)) { return $Answer.status }
        if ([DateTime]::UtcNow -ge $Deadline) { break }
        Start-Sleep -Milliseconds 250
    }
    $Logs = [IO.Path]::Combine($Check.shared, 'logs')
    if ([IO.Directory]::Exists($Logs)) {
        $Newest = Get-ChildItem -LiteralPath $Logs -Filter 'stdout*.log' | Sort-Object LastWriteTimeUtc | Select-Object -Last 1
        if ($null -ne $Newest) { foreach ($Line in (Get-Content -LiteralPath $Newest.FullName -Tail 20)) { [Console]::Error.WriteLine($Line) } }
    }
    if (-not $Answer.status) { $What = "does not answer: $($Answer.problem)" }
    elseif ($Healthy) { $What = "answers $($Answer.status), but from release '$($Answer.release)' instead of '$Release'" }
    else { $What = "answers $($Answer.status)" }
    throw "$($Check.site) on $($env:COMPUTERNAME) $What at $($Check.address) after $($Check.timeout) seconds."
}
