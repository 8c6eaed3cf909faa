# Which folders are there and what identities may do in them. $Request: folders (list of path and grants (list of identity and rights)).
# uses: windows/access
$Found = New-Object System.Collections.ArrayList
foreach ($Folder in $Request.folders) {
    $Exists = [IO.Directory]::Exists($Folder.path)
    $Missing = New-Object System.Collections.ArrayList
    foreach ($Grant in $Folder.grants) {
        if (-not $Exists -or -not (Test-Grant $Folder.path $Grant.identity $Grant.rights)) { [void] $Missing.Add($Grant.identity) }
    }
    [void] $Found.Add(@{ path = $Folder.path; exists = $Exists; missing = [object[]] $Missing.ToArray() })
}
@{ folders = [object[]] $Found.ToArray() }
