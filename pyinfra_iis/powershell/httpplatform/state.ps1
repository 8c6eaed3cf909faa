# Which HttpPlatformHandler is installed, as Windows lists it, and what is missing of it.
# uses: httpplatform/parts
$Products = New-Object System.Collections.ArrayList
$Missing = @()
foreach ($Root in 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall', 'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall') {
    if (-not (Test-Path -LiteralPath $Root)) { continue }
    foreach ($Key in (Get-ChildItem -LiteralPath $Root)) {
        $Name = [string] $Key.GetValue('DisplayName')
        # Version 2 is also called HTTP Bridge.
        if ($Name -like '*HTTP Platform Handler*' -or $Name -like '*HttpPlatformHandler*' -or $Name -like '*HTTP Bridge*' -or $Name -like '*HttpBridge*') {
            $Number = [string] $Key.GetValue('DisplayVersion')
            [void] $Products.Add(@{ name = $Name; version = $Number; code = $Key.PSChildName })
            $Version = '2.0'
            if ($Number.StartsWith('1.')) { $Version = '1.2' }
            $Missing = @(Get-MissingPart $Version)
        }
    }
}
@{ products = [object[]] $Products.ToArray(); missing = [object[]] $Missing }
