# Puts a PFX file's certificate with its key into LocalMachine\My, the others of the file into CA (roots are not made trusted), and lets accounts read the key.
# $Request: path (a file on the server; empty: the file's content is in $Secrets.data, base64), thumbprint (empty: not known), exportable, readers. $Secrets: password, data.
# uses: iis/certificate
# uses: iis/pfx
# uses: iis/private_key
function Add-ToStore([string] $Name, $Certificate) {
    $Store = New-Object Security.Cryptography.X509Certificates.X509Store $Name, 'LocalMachine'
    $Store.Open('ReadWrite')
    try { $Store.Add($Certificate) } finally { $Store.Close() }
}
$Found = $null
if ($Request.thumbprint) { $Found = Find-Certificate $Request }
if ($null -eq $Found -or -not $Found.HasPrivateKey) {
    if ($Request.path) { $Data = [IO.File]::ReadAllBytes($Request.path) } else { $Data = [Convert]::FromBase64String($Secrets.data) }
    $Flags = 'MachineKeySet, PersistKeySet'
    if ($Request.exportable) { $Flags += ', Exportable' }
    $All = Read-Pfx $Data $Secrets.password $Flags
    $Own = Get-OwnCertificate $All 'The PFX file'
    Add-ToStore 'My' $Own
    foreach ($Certificate in $All) { if (-not $Certificate.HasPrivateKey -and $Certificate.Subject -ne $Certificate.Issuer) { Add-ToStore 'CA' $Certificate } }
    $Found = Find-Certificate @{ thumbprint = $Own.Thumbprint }
}
foreach ($Reader in @(Get-MissingReaders $Found $Request.readers)) {
    $Path = Get-KeyFile $Found
    $Acl = Get-Acl -LiteralPath $Path
    $Sid = (New-Object Security.Principal.NTAccount $Reader).Translate([Security.Principal.SecurityIdentifier])
    $Acl.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $Sid, 'Read', 'Allow'))
    Set-Acl -LiteralPath $Path -AclObject $Acl
}
@{ thumbprint = $Found.Thumbprint }
