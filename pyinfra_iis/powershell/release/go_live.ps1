# Switches a site to a release and asks it until it answers from there; else the release before is put back. $Request: root, release, by (who deploys), site (name, path, pool, bindings), bad (a release to mark as bad, or empty), health (as iis/await_health gets it).
# uses: iis/configure
# uses: iis/wait_healthy
# uses: release/lock
# uses: release/add_line
# A release without a gate (a command of the user's own) does not tell its name.
function Get-Name([string] $Path) {
    if ([IO.File]::Exists([IO.Path]::Combine($Path, 'pyinfra_iis_gate.py'))) { [IO.Path]::GetFileName($Path) } else { '' }
}
Enter-Deploy $Request.root $Request.by
$Manager = New-ServerManager
$Site = $Manager.Sites[$Request.site.name]
$Before = ''
if ($null -ne $Site) { $Before = [string] $Site.Applications['/'].VirtualDirectories['/'].PhysicalPath }
$Manager.Dispose()
$Wish = ConvertFrom-Json '{"sections": [], "pools": [], "sites": []}'
$Wish.sites = @($Request.site)
Set-Configuration $Wish $null
try {
    [void] (Wait-Healthy $Request.health (Get-Name $Request.site.path))
} catch {
    $Problem = $_.Exception.Message
    if ($Before -and $Before -ne $Request.site.path -and [IO.Directory]::Exists($Before)) {
        $Request.site.path = $Before
        Set-Configuration $Wish $null
        $Old = [IO.Path]::GetFileName($Before)
        [IO.File]::WriteAllText([IO.Path]::Combine($Request.root, 'releases', $Request.release + '.bad'), $Problem)
        try { [void] (Wait-Healthy $Request.health (Get-Name $Before)) } catch { throw "$Problem Release $Old was put back, but is not healthy either: $($_.Exception.Message)" }
        throw "$Problem Release $Old is live again."
    }
    throw
}
if ($Request.bad) { [IO.File]::WriteAllText([IO.Path]::Combine($Request.root, 'releases', $Request.bad + '.bad'), "rolled back to $($Request.release)") }
Add-Line ([IO.Path]::Combine($Request.root, 'history.txt')) ([DateTime]::UtcNow.ToString('s') + 'Z ' + $Request.release)
@{ live = $Request.release; before = [IO.Path]::GetFileName($Before) }
