function Find-Certificate($Wanted) {
    $Store = New-Object Security.Cryptography.X509Certificates.X509Store 'My', 'LocalMachine'
    $Store.Open('ReadOnly')
    try {
        $Now = [DateTime]::Now
        $Best = $null
        foreach ($Certificate in $Store.Certificates) {
            if ($Wanted.thumbprint) {
                if ($Certificate.Thumbprint -eq $Wanted.thumbprint) { return $Certificate }
                continue
            }
            $Name = $Certificate.GetNameInfo([Security.Cryptography.X509Certificates.X509NameType]::DnsName, $false)
            if ($Name -ne $Wanted.subject -or -not $Certificate.HasPrivateKey -or $Certificate.NotBefore -gt $Now -or $Certificate.NotAfter -lt $Now) { continue }
            if ($null -eq $Best -or $Certificate.NotAfter -gt $Best.NotAfter) { $Best = $Certificate }
        }
        $Best
    } finally {
        $Store.Close()
    }
}
# An https binding gets its certificate by itself: http.sys keeps it, not the configuration file.
function Set-Certificate($Wanted) {
    foreach ($Binding in $Wanted.bindings) {
        if ($Binding.protocol -ne 'https') { continue }
        $Certificate = Find-Certificate $Wanted.certificate
        if ($null -eq $Certificate) { throw "$($env:COMPUTERNAME) has no valid certificate '$($Wanted.certificate.thumbprint)$($Wanted.certificate.subject)' with a private key in LocalMachine\My." }
        $Flags = 0
        if ($Binding.information -notmatch ':$') { $Flags = 1 }
        $Manager = New-ServerManager
        try {
            $Bindings = $Manager.Sites[$Wanted.name].Bindings
            $Existing = $null
            foreach ($Item in $Bindings) { if ($Item.Protocol -eq 'https' -and $Item.BindingInformation -eq $Binding.information) { $Existing = $Item } }
            if ($null -ne $Existing) {
                if ($null -ne $Existing.CertificateHash -and [BitConverter]::ToString($Existing.CertificateHash).Replace('-', '') -eq $Certificate.Thumbprint) { continue }
                $Bindings.Remove($Existing)
            }
            [void] $Bindings.Add($Binding.information, $Certificate.GetCertHash(), 'My', [Microsoft.Web.Administration.SslFlags] $Flags)
            $Manager.CommitChanges()
        } finally {
            $Manager.Dispose()
        }
    }
}
