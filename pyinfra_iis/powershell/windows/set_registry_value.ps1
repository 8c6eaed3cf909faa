# Writes a registry value, or removes it. $Request: key, name, type (as .NET's RegistryValueKind), value (Binary: hexadecimal digits), present.
# $Secrets: value, where it is a secret.
# uses: windows/registry
$Place = Open-Hive $Request.key
if (-not $Request.present) {
    $Key = $Place.hive.OpenSubKey($Place.path, $true)
    if ($null -ne $Key) { $Key.DeleteValue($Request.name, $false) }
    return $null
}
$Value = $Request.value
if ($Request.secret) { $Value = $Secrets.value.Split([char] 0) }
$Value = switch ($Request.type) {
    'DWord' { [BitConverter]::ToInt32([BitConverter]::GetBytes([uint32] @($Value)[0]), 0) }
    'QWord' { [BitConverter]::ToInt64([BitConverter]::GetBytes([uint64] @($Value)[0]), 0) }
    'MultiString' { , [string[]] @($Value) }
    'Binary' {
        $Value = [string] @($Value)[0]
        $Bytes = New-Object byte[] ($Value.Length / 2)
        for ($Index = 0; $Index -lt $Bytes.Length; $Index++) { $Bytes[$Index] = [Convert]::ToByte($Value.Substring(2 * $Index, 2), 16) }
        , $Bytes
    }
    default { [string] @($Value)[0] }
}
$Key = $Place.hive.CreateSubKey($Place.path)
$Key.SetValue($Request.name, $Value, [Microsoft.Win32.RegistryValueKind] $Request.type)
$null
