# A certificate of LocalMachine\My. $Request: thumbprint or subject; readers (accounts that shall read its private key). Missing readers are told; an account that does not exist yet is missing.
# uses: iis/certificate
# uses: iis/private_key
$Certificate = Find-Certificate $Request
if ($null -eq $Certificate) { return @{ present = $false } }
$Missing = @()
if ($Certificate.HasPrivateKey) {
    $Missing = @(foreach ($Reader in $Request.readers) { try { Get-MissingReaders $Certificate @($Reader) } catch [Security.Principal.IdentityNotMappedException] { $Reader } })
}
@{ present = $true; key = $Certificate.HasPrivateKey; thumbprint = $Certificate.Thumbprint; description = (Format-Certificate $Certificate.Thumbprint); missing = $Missing }
