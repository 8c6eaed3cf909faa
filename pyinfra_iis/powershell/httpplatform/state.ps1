# Which HttpPlatformHandler is installed: Microsoft's 1.2 as Windows Installer lists it, version 2 by its own registry key.
$Products = New-Object System.Collections.ArrayList
foreach ($Root in 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall', 'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall') {
    if (-not (Test-Path -LiteralPath $Root)) { continue }
    foreach ($Key in (Get-ChildItem -LiteralPath $Root)) {
        $Name = [string] $Key.GetValue('DisplayName')
        if ($Name -like '*HTTP Platform Handler*' -or $Name -like '*HttpPlatformHandler*') {
            [void] $Products.Add(@{ name = $Name; version = [string] $Key.GetValue('DisplayVersion'); code = $Key.PSChildName })
        }
    }
}
@{ products = [object[]] $Products.ToArray() }
