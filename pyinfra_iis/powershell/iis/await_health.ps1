# Asks a site through its own binding until it is healthy. $Request: site, address, host, status (0: any below 500 but 400), timeout (seconds), log (folder of its process's log files).
# uses: iis/request
$Deadline = [DateTime]::UtcNow.AddSeconds($Request.timeout)
while ($true) {
    $Left = [int] ($Deadline - [DateTime]::UtcNow).TotalMilliseconds
    $Answer = Get-Response $Request.address $Request.host ([Math]::Max(1000, $Left))
    if ($Request.status) { $Healthy = $Answer.status -eq $Request.status }
    else { $Healthy = $Answer.status -ge 100 -and $Answer.status -lt 500 -and $Answer.status -ne 400 }
    if ($Healthy) { break }
    if ([DateTime]::UtcNow -ge $Deadline) {
        if ([IO.Directory]::Exists($Request.log)) {
            $Newest = Get-ChildItem -LiteralPath $Request.log -Filter 'stdout*.log' | Sort-Object LastWriteTimeUtc | Select-Object -Last 1
            if ($null -ne $Newest) { foreach ($Line in (Get-Content -LiteralPath $Newest.FullName -Tail 20)) { [Console]::Error.WriteLine($Line) } }
        }
        $What = if ($Answer.status) { "answers $($Answer.status)" } else { "does not answer: $($Answer.problem)" }
        throw "$($Request.site) on $($env:COMPUTERNAME) $What at $($Request.address) after $($Request.timeout) seconds."
    }
    Start-Sleep -Milliseconds 500
}
@{ status = $Answer.status }
