# A site that somebody else made, for an application below it. $Request: site, application (its path), pool. Tells installed, and of the site: exists, state, bindings; what it has at
# that path (path: the folder, or empty); pool_users: who else uses the pool; problem: why IIS cannot read the site's own configuration, which an application inherits.
# uses: iis/server_manager
$Answer = @{ installed = [IO.File]::Exists($Library); exists = $false; state = ''; bindings = [object[]] @(); path = ''; pool_users = [object[]] @(); problem = '' }
if (-not $Answer.installed) { return $Answer }
$Manager = New-ServerManager
try {
    $Site = $Manager.Sites[$Request.site]
    if ($null -eq $Site) { return $Answer }
    $Answer.exists = $true
    try { $Answer.state = [string] $Site.State } catch { $Answer.state = 'Unknown' }
    $Answer.bindings = [object[]] @(foreach ($Binding in $Site.Bindings) { "$($Binding.Protocol)://$($Binding.BindingInformation)" })
    $Application = Find-Application $Manager $Request.site $Request.application
    if ($null -ne $Application) { $Answer.path = [Environment]::ExpandEnvironmentVariables([string] $Application.VirtualDirectories['/'].PhysicalPath) }
    $Answer.pool_users = [object[]] @(foreach ($Other in $Manager.Sites) { foreach ($One in $Other.Applications) {
        $IsOurs = $Other.Name -eq $Request.site -and $One.Path -eq $Request.application
        if (-not $IsOurs -and $One.ApplicationPoolName -eq $Request.pool) { $Other.Name + $One.Path }
    } })
    try { [void] $Manager.GetWebConfiguration($Request.site).GetSection('system.webServer/handlers').GetCollection().Count }
    catch { $Answer.problem = $_.Exception.GetBaseException().Message -replace '\s+', ' ' }
} finally { $Manager.Dispose() }
$Answer
