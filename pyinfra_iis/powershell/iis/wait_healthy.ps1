# uses: iis/request
# Asks a site until it is healthy. When it does not get so, the end of its process's log is printed; where $Check.explain says so, also what was seen of it, a JSON document in a line.
function Wait-Healthy($Check, [string] $Release) {
    $Began = [DateTime]::UtcNow
    $Deadline = $Began.AddSeconds($Check.timeout)
    $Look = {
        param($Response, $Answer)
        $Answer.server = [string] $Response.Headers['Server']
        $Buffer = New-Object char[] 12000
        try {
            $Count = (New-Object IO.StreamReader $Response.GetResponseStream()).ReadBlock($Buffer, 0, 12000)
            $Answer.body = New-Object string $Buffer, 0, $Count
        } catch { }
    }
    while ($true) {
        $Left = [int] ($Deadline - [DateTime]::UtcNow).TotalMilliseconds
        $Answer = Get-Response $Check.address $Check.host ([Math]::Max(1000, $Left)) (Get-Probe $Check.shared) $Look
        if ($Check.status) { $Healthy = $Answer.status -eq $Check.status }
        else { $Healthy = $Answer.status -ge 100 -and $Answer.status -lt 500 -and $Answer.status -ne 400 }
        if ($Healthy -and (-not $Release -or $Answer.release -eq $Release)) { return $Answer }
        if ([DateTime]::UtcNow -ge $Deadline) { break }
        Start-Sleep -Milliseconds 250
    }
    $Log = ''
    $Tail = @()
    $Logs = [IO.Path]::Combine($Check.shared, 'logs')
    if ([IO.Directory]::Exists($Logs)) {
        $Newest = Get-ChildItem -LiteralPath $Logs -Filter 'stdout*.log' | Sort-Object CreationTimeUtc | Select-Object -Last 1
        if ($null -ne $Newest) {
            $Log = $Newest.FullName
            $Tail = @(Get-Content -LiteralPath $Log -Tail 20 -Encoding UTF8)
            foreach ($Line in $Tail) { [Console]::Error.WriteLine($Line) }
        }
    }
    if ($Check.explain) {
        $Seen = @{ began = $Began.ToString('s') + 'Z'; ended = [DateTime]::UtcNow.ToString('o'); answer = $Answer; log = $Log; output = $Tail -join "`n" }
        [Console]::Out.WriteLine((ConvertTo-Json @{ seen = $Seen } -Depth 5 -Compress))
    }
    if (-not $Answer.status) { $What = "does not answer: $($Answer.problem)" }
    elseif ($Healthy) { $What = "answers $($Answer.status), but from release '$($Answer.release)' instead of '$Release'" }
    else { $What = "answers $($Answer.status)" }
    throw "$($Check.site) on $($env:COMPUTERNAME) $What at $($Check.address) after $($Check.timeout) seconds."
}
