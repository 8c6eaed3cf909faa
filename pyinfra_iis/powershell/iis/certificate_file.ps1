# What is in a PFX file on the server. $Request: path. $Secrets: password.
# Windows puts the key among the machine's (over the network it refuses the user's own), maybe under a name that the file gives: an installed certificate may have the same.
# So it is told to keep the key, which goes only where no certificate has it.
# uses: iis/pfx
# uses: iis/private_key
if (-not [IO.File]::Exists($Request.path)) { return @{ found = $false } }
$Own = Get-OwnCertificate (Read-Pfx ([IO.File]::ReadAllBytes($Request.path)) $Secrets.password 'MachineKeySet, PersistKeySet') $Request.path
$Path = ''
try { $Path = Get-KeyFile $Own } catch { }
$Store = New-Object Security.Cryptography.X509Certificates.X509Store 'My', 'LocalMachine'
$Store.Open('ReadOnly')
foreach ($Certificate in $Store.Certificates) {
    if ($Certificate.HasPrivateKey) { try { if ((Get-KeyFile $Certificate) -eq $Path) { $Path = '' } } catch { } }
}
$Store.Close()
if ($Path) { [IO.File]::Delete($Path) }
@{ found = $true; thumbprint = $Own.Thumbprint; subject = $Own.Subject; expires = $Own.NotAfter.ToString('yyyy-MM-dd') }
