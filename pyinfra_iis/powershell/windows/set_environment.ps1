# Sets an environment variable of the machine, or removes it. $Request: name, value, present, secret. $Secrets: value, where it is a secret.
$Value = $Request.value
if ($Request.secret) { $Value = $Secrets.value }
if (-not $Request.present) { $Value = $null }
[Environment]::SetEnvironmentVariable($Request.name, $Value, 'Machine')
$null
