# Makes folders and changes their access control lists. $Request: folders, a list of path and
#   protect: true (inherit nothing), false (inherit) or null (as it is); keep: whether entries that are not inherited any more stay as own ones,
#   owner: an identity or empty,
#   entries: a list of identity, remove (list of Allow and Deny: its own entries of that kind go), rights (a number; 0 grants nothing).
# uses: windows/access
foreach ($Folder in $Request.folders) {
    [void] [IO.Directory]::CreateDirectory($Folder.path)
    $Access = [IO.Directory]::GetAccessControl($Folder.path)
    $Inherited = @($Access.GetAccessRules($false, $true, [Security.Principal.SecurityIdentifier]))
    if ($null -ne $Folder.protect) { $Access.SetAccessRuleProtection($Folder.protect, $false) }
    if ($Folder.protect -and $Folder.keep) { foreach ($Rule in $Inherited) { $Access.AddAccessRule($Rule) } }
    foreach ($Entry in $Folder.entries) {
        $Identity = Get-Identity $Entry.identity
        if ($null -eq $Identity) { throw "There is no identity '$($Entry.identity)' on $($env:COMPUTERNAME), so it cannot be granted access to $($Folder.path)." }
        foreach ($Kind in $Entry.remove) {
            $Access.RemoveAccessRuleAll((New-Object Security.AccessControl.FileSystemAccessRule $Identity, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', $Kind))
        }
        if ($Entry.rights) {
            $Rights = [Security.AccessControl.FileSystemRights] [int] $Entry.rights
            $Access.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $Identity, $Rights, 'ContainerInherit, ObjectInherit', 'None', 'Allow'))
        }
    }
    if ($Folder.owner) {
        $Owner = Get-Identity $Folder.owner
        if ($null -eq $Owner) { throw "There is no identity '$($Folder.owner)' on $($env:COMPUTERNAME), so it cannot own $($Folder.path)." }
        $Access.SetOwner($Owner)
    }
    [IO.Directory]::SetAccessControl($Folder.path, $Access)
}
$null
