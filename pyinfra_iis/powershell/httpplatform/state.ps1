# Which HttpPlatformHandler is installed, as Windows lists it, and what is missing of it.
# uses: httpplatform/parts
$Products = New-Object System.Collections.ArrayList
foreach ($Root in 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall', 'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall') {
    if (-not (Test-Path -LiteralPath $Root)) { continue }
    foreach ($Key in (Get-ChildItem -LiteralPath $Root)) {
        $Name = [string] $Key.GetValue('DisplayName')
        # Version 2 is also called HTTP Bridge.
        if ($Name -like '*HTTP Platform Handler*' -or $Name -like '*HttpPlatformHandler*' -or $Name -like '*HTTP Bridge*' -or $Name -like '*HttpBridge*') {
            [void] $Products.Add(@{ name = $Name; version = [string] $Key.GetValue('DisplayVersion'); code = $Key.PSChildName })
        }
    }
}
$Missing = @()
if ($Products.Count) { $Missing = @(Get-MissingPart) }
@{ products = [object[]] $Products.ToArray(); missing = [object[]] $Missing }
