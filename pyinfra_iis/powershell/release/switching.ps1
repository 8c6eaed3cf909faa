# Switches a site to a release and asks it until it answers from there; else the release before is put back.
# uses: iis/commit
# uses: iis/wait_healthy
# uses: release/lock
# uses: release/add_line
# A release without a gate (a command of the user's own) does not tell its name.
function Get-Name([string] $Path) {
    if ([IO.File]::Exists([IO.Path]::Combine($Path, 'pyinfra_iis_gate.py'))) { [IO.Path]::GetFileName($Path) } else { '' }
}
function Get-SitePath([string] $Name) {
    $Manager = New-ServerManager
    $Site = $Manager.Sites[$Name]
    if ($null -ne $Site) { [string] $Site.Applications['/'].VirtualDirectories['/'].PhysicalPath } else { '' }
    $Manager.Dispose()
}
function Set-SitePath([string] $Name, [string] $Path) {
    Invoke-Commit {
        param($Manager)
        $Site = $Manager.Sites[$Name]
        if ($null -eq $Site) { throw "The site $Name is gone from $($env:COMPUTERNAME)." }
        $Site.Applications['/'].VirtualDirectories['/'].PhysicalPath = $Path
    }
}
# $Bring makes the site what is wanted, with the release's folder.
function Switch-Release($Request, [scriptblock] $Bring) {
    Enter-Deploy $Request.root $Request.by
    $Before = Get-SitePath $Request.site.name
    & $Bring
    try {
        $Answer = Wait-Healthy $Request.health (Get-Name $Request.site.path)
    } catch {
        $Problem = $_.Exception.Message
        if (-not $Before -or $Before -eq $Request.site.path -or -not [IO.Directory]::Exists($Before)) { throw }
        Set-SitePath $Request.site.name $Before
        $Old = [IO.Path]::GetFileName($Before)
        [IO.File]::WriteAllText([IO.Path]::Combine($Request.root, 'releases', $Request.release + '.bad'), $Problem)
        try { [void] (Wait-Healthy $Request.health (Get-Name $Before)) } catch { throw "$Problem Release $Old was put back, but is not healthy either: $($_.Exception.Message)" }
        throw "$Problem Release $Old is live again."
    }
    if ($Request.bad) { [IO.File]::WriteAllText([IO.Path]::Combine($Request.root, 'releases', $Request.bad + '.bad'), "rolled back to $($Request.release)") }
    Add-Line ([IO.Path]::Combine($Request.root, 'history.txt')) ([DateTime]::UtcNow.ToString('s') + 'Z ' + $Request.release)
    @{ live = $Request.release; before = [IO.Path]::GetFileName($Before); certificate = $Answer.certificate }
}
