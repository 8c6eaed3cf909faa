# uses: iis/certificate_name
# The certificate of LocalMachine\My that is meant by a thumbprint, or by a host name: of those that are valid for it now and have a private key, the one that is valid longest.
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
            if (-not $Certificate.HasPrivateKey -or $Certificate.NotBefore -gt $Now -or $Certificate.NotAfter -lt $Now) { continue }
            if (-not (Test-CertificateName $Certificate $Wanted.subject)) { continue }
            if ($null -eq $Best -or $Certificate.NotAfter -gt $Best.NotAfter) { $Best = $Certificate }
        }
        $Best
    } finally {
        $Store.Close()
    }
}
function Format-Certificate([string] $Thumbprint) {
    $Certificate = Find-Certificate @{ thumbprint = $Thumbprint }
    if ($null -eq $Certificate) { return "$Thumbprint (not in LocalMachine\My)" }
    "$($Certificate.Thumbprint) ($($Certificate.Subject), expires $($Certificate.NotAfter.ToString('yyyy-MM-dd')))"
}
function Find-Binding($Configuration, $Wanted) {
    foreach ($Site in $Configuration.GetSection('system.applicationHost/sites').GetCollection()) {
        if ($Site.GetAttributeValue('name') -ne $Wanted.site) { continue }
        foreach ($Binding in $Site.GetCollection('bindings')) {
            if ($Binding.GetAttributeValue('protocol') -eq 'https' -and $Binding.GetAttributeValue('bindingInformation') -eq $Wanted.information) { return $Binding }
        }
    }
    $null
}
function Compare-Certificates($Plan, $Manager, $Wishes) {
    foreach ($Item in $Wishes) {
        $Binding = Find-Binding $Manager.GetApplicationHostConfiguration() $Item
        $Old = ''
        if ($null -ne $Binding) { $Old = ([string] $Binding.GetAttributeValue('certificateHash')).ToUpperInvariant() }
        $Certificate = Find-Certificate $Item.wanted
        $New = ''
        if ($null -ne $Certificate) { $New = $Certificate.Thumbprint }
        if ($Old -and $Old -eq $New) { continue }
        $Before = $null
        if ($Old) { $Before = Format-Certificate $Old }
        $After = "$($Item.wanted.thumbprint)$($Item.wanted.subject) (not on the server)"
        if ($New) { $After = Format-Certificate $New }
        Add-Change $Plan "site $($Item.site) binding https $($Item.information) certificate" $Before $After
    }
}
