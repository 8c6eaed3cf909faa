# An environment variable of the machine. $Request: name, hash (true: tell the SHA-256 of its text only).
$Key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Control\Session Manager\Environment')
$Value = $Key.GetValue($Request.name, $null, 'DoNotExpandEnvironmentNames')
if ($null -eq $Value) { return @{ exists = $false } }
if ($Request.hash) {
    $Sum = [Security.Cryptography.SHA256]::Create().ComputeHash([Text.Encoding]::UTF8.GetBytes($Value))
    $Value = [BitConverter]::ToString($Sum).Replace('-', '').ToLowerInvariant()
}
@{ exists = $true; value = $Value }
