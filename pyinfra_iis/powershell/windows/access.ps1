function Get-Identity([string] $Name) {
    if ($Name -like 'S-1-*') { return New-Object Security.Principal.SecurityIdentifier $Name }
    try { (New-Object Security.Principal.NTAccount $Name).Translate([Security.Principal.SecurityIdentifier]) } catch { $null }
}
function Get-AccountName([Security.Principal.SecurityIdentifier] $Identity) {
    try { $Identity.Translate([Security.Principal.NTAccount]).Value } catch { $Identity.Value }
}
