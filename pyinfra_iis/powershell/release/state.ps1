# What the application's folder holds, and which release is live. $Request: root, site.
# uses: iis/server_manager
$State = @{ releases = [object[]] @(); environments = [object[]] @(); bad = [object[]] @(); history = [object[]] @(); index = [object[]] @(); live = '' }
foreach ($Kind in @(@('releases', 'releases'), @('environments', 'venvs'))) {
    $Folder = [IO.Path]::Combine($Request.root, $Kind[1])
    if ([IO.Directory]::Exists($Folder)) {
        $Names = foreach ($Path in [IO.Directory]::GetDirectories($Folder)) { [IO.Path]::GetFileName($Path) }
        $State[$Kind[0]] = [object[]] @($Names | Where-Object { -not $_.EndsWith('.partial') })
    }
}
$Folder = [IO.Path]::Combine($Request.root, 'releases')
if ([IO.Directory]::Exists($Folder)) {
    $Names = foreach ($Path in [IO.Directory]::GetFiles($Folder, '*.bad')) { [IO.Path]::GetFileNameWithoutExtension($Path) }
    $State.bad = [object[]] @($Names | Where-Object { $_ })
}
foreach ($List in @(@('history', 'history.txt'), @('index', 'releases\index.txt'))) {
    $Path = [IO.Path]::Combine($Request.root, $List[1])
    if ([IO.File]::Exists($Path)) { $State[$List[0]] = [object[]] @([IO.File]::ReadAllLines($Path) | Select-Object -Last 200) }
}
if ([IO.File]::Exists($Library)) {
    $Manager = New-ServerManager
    $Site = $Manager.Sites[$Request.site]
    if ($null -ne $Site) { $State.live = [IO.Path]::GetFileName([string] $Site.Applications['/'].VirtualDirectories['/'].PhysicalPath) }
    $Manager.Dispose()
}
$State
