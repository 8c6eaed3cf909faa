# The file of a certificate's private key: what rights on the key are given on. Keys of the older providers and of CNG have folders of their own.
function Get-KeyFile($Certificate) {
    $Key = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate)
    if ($null -eq $Key) { $Key = [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($Certificate) }
    if ($null -eq $Key) { throw "The private key of $($Certificate.Thumbprint) on $($env:COMPUTERNAME) is neither an RSA nor an ECDSA key; it cannot be found here." }
    if ($Key -is [Security.Cryptography.RSACryptoServiceProvider]) { $Name = $Key.CspKeyContainerInfo.UniqueKeyContainerName } else { $Name = $Key.Key.UniqueName }
    $Root = [IO.Path]::Combine([Environment]::GetFolderPath('CommonApplicationData'), 'Microsoft\Crypto')
    foreach ($Folder in 'RSA\MachineKeys', 'Keys') {
        $Path = [IO.Path]::Combine($Root, $Folder, $Name)
        if ([IO.File]::Exists($Path)) { return $Path }
    }
    throw "The private key of $($Certificate.Thumbprint) is not in the machine's key folders on $($env:COMPUTERNAME)."
}
# Those of some accounts that may not read a key by an entry of their own.
function Get-MissingReaders($Certificate, $Readers) {
    if (-not $Readers) { return }
    $Acl = Get-Acl -LiteralPath (Get-KeyFile $Certificate)
    foreach ($Reader in $Readers) {
        $Sid = (New-Object Security.Principal.NTAccount $Reader).Translate([Security.Principal.SecurityIdentifier])
        $May = $false
        foreach ($Rule in $Acl.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])) {
            if ($Rule.IdentityReference -eq $Sid -and [string] $Rule.AccessControlType -eq 'Allow' -and ($Rule.FileSystemRights -band 'Read') -eq 'Read') { $May = $true }
        }
        if (-not $May) { $Reader }
    }
}
