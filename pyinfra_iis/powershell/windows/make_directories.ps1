# Makes folders and grants access to them and everything below. $Request: folders (list of path and grants (list of identity and rights)).
# uses: windows/access
foreach ($Folder in $Request.folders) {
    [void] [IO.Directory]::CreateDirectory($Folder.path)
    foreach ($Grant in $Folder.grants) {
        if (Test-Grant $Folder.path $Grant.identity $Grant.rights) { continue }
        $Identity = Get-Identity $Grant.identity
        if ($null -eq $Identity) { throw "There is no identity '$($Grant.identity)' on $($env:COMPUTERNAME), so it cannot be granted access to $($Folder.path)." }
        $Rule = New-Object Security.AccessControl.FileSystemAccessRule $Identity, ([Security.AccessControl.FileSystemRights] $Grant.rights), 'ContainerInherit, ObjectInherit', 'None', 'Allow'
        $Access = [IO.Directory]::GetAccessControl($Folder.path)
        $Access.SetAccessRule($Rule)
        [IO.Directory]::SetAccessControl($Folder.path, $Access)
    }
}
$null
