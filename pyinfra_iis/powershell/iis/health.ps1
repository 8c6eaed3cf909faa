# Asks a site through its own binding, once, if it is started. $Request: site, address, host, timeout (seconds), shared (the application's folder of that name).
# uses: iis/server_manager
# uses: iis/request
$Answer = @{ status = 0; release = ''; problem = 'the site does not exist'; certificate = [object[]] @() }
if ([IO.File]::Exists($Library)) {
    $Manager = New-ServerManager
    $Site = $Manager.Sites[$Request.site]
    if ($null -ne $Site) {
        if ([string] $Site.State -eq 'Started') { $Answer = Get-Response $Request.address $Request.host ($Request.timeout * 1000) (Get-Probe $Request.shared) }
        else { $Answer.problem = 'the site is not started' }
    }
    $Manager.Dispose()
}
$Answer
