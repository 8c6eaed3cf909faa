# Shows visitors a page instead of the application, or the application again. $Request: site, root, on, retry_after (seconds), page (HTML), health (as iis/await_health gets it). $Secrets: token, which lets the deploy's own requests through.
# uses: iis/wait_healthy
# What a visitor gets. Windows itself answers 503 for a stopped pool, but never says when to come back.
function Get-Answer {
    $Query = New-Query $Request.health.address $Request.health.host 20000
    $Response = $null
    try { $Response = $Query.GetResponse() }
    catch {
        $Cause = $_.Exception.GetBaseException()
        if ($Cause -isnot [Net.WebException] -or $null -eq $Cause.Response) { return @{ status = 0; retry_after = ''; problem = $Cause.Message } }
        $Response = $Cause.Response
    }
    try { @{ status = [int] $Response.StatusCode; retry_after = [string] $Response.Headers['Retry-After']; problem = '' } } finally { $Response.Close() }
}
$Shared = [IO.Path]::Combine($Request.root, 'shared')
$Path = [IO.Path]::Combine($Shared, 'maintenance.json')
# The application may be reading the file at this moment.
function Invoke-Patiently([scriptblock] $Action) {
    for ($Attempt = 1; ; $Attempt++) {
        try { & $Action; return } catch { if ($Attempt -ge 40) { throw } }
        Start-Sleep -Milliseconds 50
    }
}
if (-not $Request.on) {
    Invoke-Patiently { [IO.File]::Delete($Path) }
    return @{ status = (Wait-Healthy $Request.health '').status }
}
$Partial = $Path + '.partial'
$Notice = ConvertTo-Json -Compress @{ retry_after = $Request.retry_after; page = $Request.page; token = $Secrets.token }
[IO.File]::WriteAllText($Partial, $Notice, (New-Object Text.UTF8Encoding $false))
Invoke-Patiently {
    if ([IO.File]::Exists($Path)) { [IO.File]::Replace($Partial, $Path, [NullString]::Value) }
    else { [IO.File]::Move($Partial, $Path) }
}
$Answer = Get-Answer
if ($Answer.status -eq 503 -and $Answer.retry_after -eq [string] $Request.retry_after) { return @{ status = 503 } }
$What = "answers $($Answer.status)"
if (-not $Answer.status) { $What = "does not answer: $($Answer.problem)" }
throw "Maintenance is on for $($Request.site) on $($env:COMPUTERNAME), but visitors do not see the page, because the application's process does not run: the site $What."
