# Sets an environment variable of the machine, or removes it. $Request: name, value, present, secret. $Secrets: value, where it is a secret.
$Value = $Request.value
if ($Request.secret) { $Value = $Secrets.value }
if (-not $Request.present) { $Value = $null }
$Key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Control\Session Manager\Environment', $true)
$Expands = $Key.GetValueNames() -contains $Request.name -and [string] $Key.GetValueKind($Request.name) -eq 'ExpandString'
[Environment]::SetEnvironmentVariable($Request.name, $Value, 'Machine')
# That makes plain text of it: what it refers to, as Path does, would not be expanded any more.
if ($Expands -and $Request.present) { $Key.SetValue($Request.name, $Value, 'ExpandString') }
$null
