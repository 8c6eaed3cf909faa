# Which sites and applications use HttpPlatformHandler: their configuration, with what they inherit, has a handler of that module.
# uses: iis/server_manager
$Users = New-Object System.Collections.ArrayList
if (-not [IO.File]::Exists($Library)) {
    # IIS without its management tools: the files themselves tell.
    $File = [IO.Path]::Combine([Environment]::SystemDirectory, 'inetsrv\config\applicationHost.config')
    if (-not [IO.File]::Exists($File)) { return @{ users = [object[]] @() } }
    $Configuration = [xml] [IO.File]::ReadAllText($File)
    foreach ($Site in $Configuration.SelectNodes('/configuration/system.applicationHost/sites/site')) {
        $Name = $Site.GetAttribute('name')
        $Text = ''
        foreach ($Location in $Configuration.SelectNodes('/configuration/location')) {
            if (($Location.GetAttribute('path') + '/').StartsWith($Name + '/', 'OrdinalIgnoreCase')) { $Text += $Location.OuterXml }
        }
        foreach ($Folder in $Site.SelectNodes('application/virtualDirectory')) {
            $Path = [IO.Path]::Combine([Environment]::ExpandEnvironmentVariables($Folder.GetAttribute('physicalPath')), 'web.config')
            if ([IO.File]::Exists($Path)) { $Text += [IO.File]::ReadAllText($Path) }
        }
        if ($Text -match 'httpPlatformHandler') { [void] $Users.Add(@{ site = $Name; application = '/'; known = $true }) }
    }
    return @{ users = [object[]] $Users.ToArray() }
}
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
