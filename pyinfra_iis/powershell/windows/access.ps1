function Get-Identity([string] $Name) {
    try { (New-Object Security.Principal.NTAccount $Name).Translate([Security.Principal.SecurityIdentifier]) } catch { $null }
}
function Test-Grant([string] $Path, [string] $Name, [string] $Rights) {
    $Identity = Get-Identity $Name
    if ($null -eq $Identity) { return $false }
    $Wanted = [int] [Security.AccessControl.FileSystemRights] $Rights
    $Rules = [IO.Directory]::GetAccessControl($Path).GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])
    foreach ($Rule in $Rules) {
        if ($Rule.IdentityReference.Value -eq $Identity.Value -and [string] $Rule.AccessControlType -eq 'Allow' -and
            ([int] $Rule.InheritanceFlags) -eq 3 -and ([int] $Rule.PropagationFlags) -eq 0 -and
            ([int] $Rule.FileSystemRights -band $Wanted) -eq $Wanted) { return $true }
    }
    $false
}
