$Library = [IO.Path]::Combine([Environment]::SystemDirectory, 'inetsrv\Microsoft.Web.Administration.dll')
function New-ServerManager {
    [void] [Reflection.Assembly]::LoadFrom($Library)
    New-Object Microsoft.Web.Administration.ServerManager
}
# An application of a site by its path; without one, the site's own.
function Find-Application($Manager, [string] $Site, [string] $Path) {
    if (-not $Path) { $Path = '/' }
    $Found = $Manager.Sites[$Site]
    if ($null -ne $Found) { $Found.Applications[$Path] }
}
function Find-Item($Collection, [string] $Attribute, [string] $Value) {
    foreach ($Item in $Collection) { if ($Item.GetAttributeValue($Attribute) -eq $Value) { return $Item } }
    $null
}
function Format-Attribute($Attribute) {
    $Value = $Attribute.Value
    $Names = $Attribute.Schema.GetEnumValues()
    if ($null -ne $Names -and $Names.Count -gt 0) { return $Names.GetName($Value) }
    if ($Value -is [bool]) { return ([string] $Value).ToLowerInvariant() }
    [string] $Value
}
function Get-Sum([string] $Text) {
    $Bytes = [Security.Cryptography.SHA256]::Create().ComputeHash([Text.Encoding]::UTF8.GetBytes($Text))
    [BitConverter]::ToString($Bytes).Replace('-', '').ToLowerInvariant()
}
