function Read-Pfx([byte[]] $Data, [string] $Password, [string] $Flags) {
    $All = New-Object Security.Cryptography.X509Certificates.X509Certificate2Collection
    $All.Import($Data, $Password, [Security.Cryptography.X509Certificates.X509KeyStorageFlags] $Flags)
    , $All
}
function Get-OwnCertificate($All, [string] $Name) {
    foreach ($Certificate in $All) { if ($Certificate.HasPrivateKey) { return $Certificate } }
    throw "$Name holds no certificate with a private key."
}
