# Which sites and applications use HttpPlatformHandler: their configuration, with what they inherit, has a handler of that module.
# uses: iis/server_manager
$Users = New-Object System.Collections.ArrayList
if (-not [IO.File]::Exists($Library)) { return @{ users = [object[]] @() } }
$Manager = New-ServerManager
foreach ($Site in $Manager.Sites) {
    foreach ($Application in $Site.Applications) {
        $Known = $true
        $Uses = $false
        try {
            foreach ($Handler in $Manager.GetWebConfiguration($Site.Name, $Application.Path).GetSection('system.webServer/handlers').GetCollection()) {
                if (([string] $Handler.GetAttributeValue('modules')) -match '(^|,)\s*httpPlatformHandler\s*(,|$)') { $Uses = $true }
            }
        } catch {
            # A web.config that cannot be read may well be about the handler.
            $Known = $false
        }
        if ($Uses -or -not $Known) { [void] $Users.Add(@{ site = $Site.Name; application = $Application.Path; known = $Known }) }
    }
}
$Manager.Dispose()
@{ users = [object[]] $Users.ToArray() }
