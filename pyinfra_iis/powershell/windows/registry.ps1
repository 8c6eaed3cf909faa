function Open-Hive([string] $Key) {
    $Parts = $Key.Split([char[]] '\', 2)
    $Hive = switch ($Parts[0].TrimEnd(':')) {
        'HKLM' { 'LocalMachine' }
        'HKEY_LOCAL_MACHINE' { 'LocalMachine' }
        'HKU' { 'Users' }
        'HKEY_USERS' { 'Users' }
        'HKCR' { 'ClassesRoot' }
        'HKEY_CLASSES_ROOT' { 'ClassesRoot' }
        default { throw "'$($Parts[0])' is no part of the registry that a deploy changes; write HKLM\... or HKU\..." }
    }
    @{ hive = [Microsoft.Win32.RegistryKey]::OpenBaseKey($Hive, 'Registry64'); path = $Parts[1] }
}
