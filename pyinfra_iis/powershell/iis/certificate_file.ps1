# What is in a PFX file on the server. $Request: path. $Secrets: password. The key is not kept.
# uses: iis/pfx
if (-not [IO.File]::Exists($Request.path)) { return @{ found = $false } }
$Own = Get-OwnCertificate (Read-Pfx ([IO.File]::ReadAllBytes($Request.path)) $Secrets.password 'DefaultKeySet') $Request.path
@{ found = $true; thumbprint = $Own.Thumbprint; subject = $Own.Subject; expires = $Own.NotAfter.ToString('yyyy-MM-dd') }
