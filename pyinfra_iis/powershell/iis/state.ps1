# What IIS is configured to do. $Request: sections (names), pools (list of name and attributes (names, dotted)), certificate
# (thumbprint or subject; null when no site of ours has an https binding).
# The values of environment variables are not told, only their SHA-256.
# uses: iis/server_manager
# uses: iis/certificate
$State = @{ installed = [IO.File]::Exists($Library); certificate = ''; sections = @{}; pools = @{}; sites = @{} }
if ($Request.certificate) {
    $Certificate = Find-Certificate $Request.certificate
    if ($null -ne $Certificate) { $State.certificate = $Certificate.Thumbprint }
}
if (-not $State.installed) { return $State }
$Manager = New-ServerManager
$Configuration = $Manager.GetApplicationHostConfiguration()
foreach ($Name in $Request.sections) {
    $State.sections[$Name] = [string] $Configuration.GetSection($Name).OverrideModeEffective
}
$Pools = $Configuration.GetSection('system.applicationHost/applicationPools').GetCollection()
foreach ($Wanted in $Request.pools) {
    $Pool = Find-Item $Pools 'name' $Wanted.name
    if ($null -eq $Pool) { continue }
    $Attributes = @{}
    foreach ($Name in $Wanted.attributes) { $Attributes[$Name] = Format-Attribute (Get-Attribute $Pool $Name) }
    $Environment = @{}
    foreach ($Variable in $Pool.GetCollection('environmentVariables')) {
        $Environment[$Variable.GetAttributeValue('name')] = Get-Sum $Variable.GetAttributeValue('value')
    }
    $State.pools[$Wanted.name] = @{ attributes = $Attributes; environment = $Environment; state = [string] $Manager.ApplicationPools[$Wanted.name].State }
}
$Sites = $Configuration.GetSection('system.applicationHost/sites').GetCollection()
foreach ($Site in $Sites) {
    $Name = $Site.GetAttributeValue('name')
    $Bindings = New-Object System.Collections.ArrayList
    foreach ($Binding in $Manager.Sites[$Name].Bindings) {
        $Hash = ''
        if ($Binding.Protocol -eq 'https' -and $null -ne $Binding.CertificateHash) { $Hash = [BitConverter]::ToString($Binding.CertificateHash).Replace('-', '') }
        [void] $Bindings.Add(@{ protocol = $Binding.Protocol; information = $Binding.BindingInformation; certificate = $Hash })
    }
    $Application = Find-Item $Site.GetCollection() 'path' '/'
    $Pool = ''
    $Path = ''
    if ($null -ne $Application) {
        $Pool = [string] $Application.GetAttributeValue('applicationPool')
        $Directory = Find-Item $Application.GetCollection() 'path' '/'
        if ($null -ne $Directory) { $Path = [string] $Directory.GetAttributeValue('physicalPath') }
    }
    $State.sites[$Name] = @{ id = [long] $Site.GetAttributeValue('id'); path = $Path; pool = $Pool; bindings = [object[]] $Bindings.ToArray(); state = [string] $Manager.Sites[$Name].State }
}
$Manager.Dispose()
$State
