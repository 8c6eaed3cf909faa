# What is in a PFX file on the server. $Request: path. $Secrets: password. The key is not kept; over the network Windows refuses to put it among the user's own, even for a moment.
# uses: iis/pfx
if (-not [IO.File]::Exists($Request.path)) { return @{ found = $false } }
$Own = Get-OwnCertificate (Read-Pfx ([IO.File]::ReadAllBytes($Request.path)) $Secrets.password 'MachineKeySet') $Request.path
@{ found = $true; thumbprint = $Own.Thumbprint; subject = $Own.Subject; expires = $Own.NotAfter.ToString('yyyy-MM-dd') }
