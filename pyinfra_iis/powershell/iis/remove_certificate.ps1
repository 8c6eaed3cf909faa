# Takes a certificate out of LocalMachine\My, with its key, unless a binding has it. $Request: thumbprint.
# uses: iis/server_manager
# uses: iis/certificate
# uses: iis/private_key
if ([IO.File]::Exists($Library)) {
    $Manager = New-ServerManager
    foreach ($Site in $Manager.Sites) {
        foreach ($Binding in $Site.Bindings) {
            if ($Binding.Protocol -ne 'https' -or $null -eq $Binding.CertificateHash) { continue }
            if ([BitConverter]::ToString($Binding.CertificateHash).Replace('-', '') -eq $Request.thumbprint) { throw "The site $($Site.Name) on $($env:COMPUTERNAME) still has the certificate $($Request.thumbprint) on its binding $($Binding.BindingInformation)." }
        }
    }
    $Manager.Dispose()
}
$Certificate = Find-Certificate $Request
if ($null -eq $Certificate) { return $null }
$Path = ''
if ($Certificate.HasPrivateKey) { $Path = Get-KeyFile $Certificate }
$Store = New-Object Security.Cryptography.X509Certificates.X509Store 'My', 'LocalMachine'
$Store.Open('ReadWrite')
try { $Store.Remove($Certificate) } finally { $Store.Close() }
if ($Path) { [IO.File]::Delete($Path) }
$null
