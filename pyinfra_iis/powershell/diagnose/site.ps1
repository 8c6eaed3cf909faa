# What IIS has of a site: its bindings with their certificates, its pool, its neighbours, and the services. $Request: site, application, folder (empty: what the site has now).
# uses: diagnose/target
function Get-State($Item) { try { [string] $Item.State } catch { 'Unknown' } }
$Answer = @{ installed = [IO.File]::Exists($Library); services = @{}; sites = @(); pools = @(); target = $null; pool = $null; certificates = @() }
foreach ($Name in 'WAS', 'W3SVC', 'HTTP') {
    $Service = Get-Service -Name $Name -ErrorAction SilentlyContinue
    if ($null -ne $Service) { $Answer.services[$Name] = [string] $Service.Status }
}
if (-not $Answer.installed) { return $Answer }
$Manager = New-ServerManager
foreach ($Site in $Manager.Sites) {
    $Bindings = New-Object System.Collections.ArrayList
    foreach ($Binding in $Site.Bindings) {
        $One = @{ protocol = $Binding.Protocol; information = $Binding.BindingInformation; certificate = ''; store = ''; flags = 0 }
        if ($Binding.Protocol -eq 'https') {
            try { if ($null -ne $Binding.CertificateHash) { $One.certificate = [BitConverter]::ToString($Binding.CertificateHash).Replace('-', '') } } catch { $One.problem = $_.Exception.GetBaseException().Message }
            $One.store = [string] $Binding.CertificateStoreName
            $One.flags = [int] $Binding.GetAttributeValue('sslFlags')
        }
        [void] $Bindings.Add($One)
    }
    $Answer.sites += @{ name = $Site.Name; id = [long] $Site.Id; state = (Get-State $Site); auto_start = [bool] $Site.ServerAutoStart; bindings = [object[]] $Bindings.ToArray() }
}
foreach ($Pool in $Manager.ApplicationPools) { $Answer.pools += [string] $Pool.Name }
$Target = Find-Target $Manager $Request
if ($null -ne $Target.site) {
    $Answer.target = @{
        application = ($null -ne $Target.application); pool = $Target.pool_name; path = $Target.path; folder = $Target.folder; folder_exists = [IO.Directory]::Exists($Target.folder)
        log = [Environment]::ExpandEnvironmentVariables([string] $Target.site.LogFile.Directory); applications = [object[]] @(foreach ($One in $Target.site.Applications) { [string] $One.Path })
    }
    if ($null -ne $Target.pool) {
        $Model = $Target.pool.GetChildElement('processModel')
        $Processes = New-Object System.Collections.ArrayList
        try { foreach ($Worker in $Target.pool.WorkerProcesses) { [void] $Processes.Add([int] $Worker.ProcessId) } } catch { }
        $Answer.pool = @{
            state = (Get-State $Target.pool); auto_start = [bool] $Target.pool.AutoStart; bits32 = [bool] $Target.pool.Enable32BitAppOnWin64; identity = (Format-Attribute $Model.GetAttribute('identityType'))
            user = [string] $Model.GetAttributeValue('userName'); profile = [bool] $Model.GetAttributeValue('loadUserProfile'); mode = (Format-Attribute $Target.pool.GetAttribute('managedPipelineMode'))
            runtime = [string] $Target.pool.ManagedRuntimeVersion; queue = [long] $Target.pool.QueueLength; processes = [object[]] $Processes.ToArray()
        }
    }
}
foreach ($Name in 'My', 'WebHosting') {
    $Store = New-Object Security.Cryptography.X509Certificates.X509Store $Name, 'LocalMachine'
    try { $Store.Open('ReadOnly') } catch { continue }
    foreach ($Certificate in $Store.Certificates) {
        $Answer.certificates += @{
            store = $Name; thumbprint = $Certificate.Thumbprint; subject = $Certificate.Subject; name = $Certificate.GetNameInfo([Security.Cryptography.X509Certificates.X509NameType]::DnsName, $false)
            from = $Certificate.NotBefore.ToUniversalTime().ToString('s') + 'Z'; until = $Certificate.NotAfter.ToUniversalTime().ToString('s') + 'Z'; private_key = $Certificate.HasPrivateKey
        }
    }
    $Store.Close()
}
$Manager.Dispose()
$Answer.sites = [object[]] $Answer.sites
$Answer.pools = [object[]] $Answer.pools
$Answer.certificates = [object[]] $Answer.certificates
$Answer
