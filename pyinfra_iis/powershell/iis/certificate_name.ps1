# A wildcard stands for one label, the first.
function Test-CertificateName($Certificate, [string] $Name) {
    $Names = @($Certificate.GetNameInfo([Security.Cryptography.X509Certificates.X509NameType]::DnsName, $false))
    # The property is a script that makes an object of this library; where nothing has loaded it yet, the property is empty.
    [void] [Reflection.Assembly]::LoadWithPartialName('Microsoft.PowerShell.Security')
    foreach ($Item in $Certificate.DnsNameList) { $Names += [string] $Item.Punycode }
    foreach ($Item in $Names) {
        if ($Item -eq $Name) { return $true }
        if ($Item.StartsWith('*.') -and $Name.Contains('.') -and $Name.Substring($Name.IndexOf('.')) -eq $Item.Substring(1)) { return $true }
    }
    $false
}
