# Takes a certificate out of LocalMachine\My, with its key, unless a binding has it. $Request: thumbprint.
# uses: iis/server_manager
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
Remove-Item -LiteralPath "Cert:\LocalMachine\My\$($Request.thumbprint)" -DeleteKey
$null
