# What a registry value holds. $Request: key (HKLM\...), name (empty: the key's default), hash (true: tell the SHA-256 of its text only).
# uses: windows/registry
$Place = Open-Hive $Request.key
$Key = $Place.hive.OpenSubKey($Place.path)
if ($null -eq $Key) { return @{ exists = $false } }
$Value = $Key.GetValue($Request.name, $null, 'DoNotExpandEnvironmentNames')
if ($null -eq $Value) { return @{ exists = $false } }
$Kind = [string] $Key.GetValueKind($Request.name)
if ($Kind -eq 'Binary') { $Value = [BitConverter]::ToString($Value).Replace('-', '').ToLowerInvariant() }
if ($Kind -eq 'MultiString') { $Value = [object[]] $Value }
if ($Request.hash) {
    $Sum = [Security.Cryptography.SHA256]::Create().ComputeHash([Text.Encoding]::UTF8.GetBytes([string]::Join("`0", @($Value))))
    $Value = [BitConverter]::ToString($Sum).Replace('-', '').ToLowerInvariant()
}
@{ exists = $true; type = $Kind; value = $Value }
