# Switches a site to a release and asks it until it answers from there; else the release before is put back.
# uses: iis/commit
# uses: iis/wait_healthy
# uses: release/lock
# uses: release/add_line
# A release without a gate (a command of the user's own) does not tell its name.
function Get-Name([string] $Path) {
    if ([IO.File]::Exists([IO.Path]::Combine($Path, 'pyinfra_iis_gate.py'))) { [IO.Path]::GetFileName($Path) } else { '' }
}
function Get-SitePath($Site) {
    $Manager = New-ServerManager
    $Application = Find-Application $Manager $Site.name $Site.application
    if ($null -ne $Application) { [string] $Application.VirtualDirectories['/'].PhysicalPath } else { '' }
    $Manager.Dispose()
}
function Set-SitePath($Site, [string] $Path) {
    Invoke-Commit {
        param($Manager)
        $Application = Find-Application $Manager $Site.name $Site.application
        if ($null -eq $Application) { throw "The site $($Site.name) is gone from $($env:COMPUTERNAME), or its application $($Site.application)." }
        $Application.VirtualDirectories['/'].PhysicalPath = $Path
    }
}
# $Bring makes the site what is wanted, with the release's folder.
function Switch-Release($Request, [scriptblock] $Bring) {
    Enter-Deploy $Request.root $Request.by
    $Before = Get-SitePath $Request.site
    & $Bring
    try {
        $Answer = Wait-Healthy $Request.health (Get-Name $Request.site.path)
    } catch {
        $Problem = $_.Exception.Message
        if (-not $Before -or $Before -eq $Request.site.path -or -not [IO.Directory]::Exists($Before)) { throw }
        Set-SitePath $Request.site $Before
        $Old = [IO.Path]::GetFileName($Before)
        [IO.File]::WriteAllText([IO.Path]::Combine($Request.root, 'releases', $Request.release + '.bad'), $Problem)
        try { [void] (Wait-Healthy $Request.health (Get-Name $Before)) } catch { throw "$Problem Release $Old was put back, but is not healthy either: $($_.Exception.Message)" }
        throw "$Problem Release $Old is live again."
    }
    [IO.File]::Delete([IO.Path]::Combine($Request.root, 'releases', $Request.release + '.bad'))
    if ($Request.bad) { [IO.File]::WriteAllText([IO.Path]::Combine($Request.root, 'releases', $Request.bad + '.bad'), "rolled back to $($Request.release)") }
    Add-Line ([IO.Path]::Combine($Request.root, 'history.txt')) ([DateTime]::UtcNow.ToString('s') + 'Z ' + $Request.release)
    @{ live = $Request.release; before = [IO.Path]::GetFileName($Before); certificate = $Answer.certificate }
}
