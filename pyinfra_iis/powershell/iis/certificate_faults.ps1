# uses: iis/certificate_name
# What visitors may be warned of with a certificate, in words. $Name: the host that they ask for, or empty.
function Get-CertificateFaults($Certificate, [string] $Name) {
    $Now = [DateTime]::Now
    $IsValid = $Certificate.NotBefore -le $Now -and $Certificate.NotAfter -ge $Now
    if ($Certificate.NotAfter -lt $Now) { "has expired on $($Certificate.NotAfter.ToString('yyyy-MM-dd'))" }
    if ($Certificate.NotBefore -gt $Now) { "is not valid before $($Certificate.NotBefore.ToString('yyyy-MM-dd'))" }
    if ($Name -and -not (Test-CertificateName $Certificate $Name)) { "is not for $Name" }
    $Chain = New-Object Security.Cryptography.X509Certificates.X509Chain
    # Whether it was revoked is asked over the network, which a server may not have.
    $Chain.ChainPolicy.RevocationMode = 'NoCheck'
    [void] $Chain.Build($Certificate)
    $Last = $Chain.ChainElements[$Chain.ChainElements.Count - 1].Certificate
    foreach ($Status in $Chain.ChainStatus) {
        $Word = [string] $Status.Status
        if ($Word -eq 'UntrustedRoot' -and $Certificate.Subject -eq $Certificate.Issuer) { 'is self-signed' }
        elseif ($Word -eq 'UntrustedRoot') { "comes from $($Last.Subject), which the server does not trust" }
        elseif ($Word -eq 'PartialChain') { "comes from $($Last.Issuer), whose certificate the server does not have" }
        elseif ($Word -ne 'NotTimeValid') { "is refused by Windows ($Word)" }
        elseif ($IsValid) { 'comes from an issuer whose certificate is not valid now' }
    }
}
