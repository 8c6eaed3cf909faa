# Which folders are there, who owns them and what their access control lists say. $Request: folders (list of path and identities (names whose SIDs are wanted)),
# contents (whether to count what is below).
# uses: windows/access
$Identities = @{}
$Found = New-Object System.Collections.ArrayList
foreach ($Folder in $Request.folders) {
    foreach ($Name in $Folder.identities) {
        if ($Identities.ContainsKey($Name)) { continue }
        $Identity = Get-Identity $Name
        $Identities[$Name] = $null
        if ($null -ne $Identity) { $Identities[$Name] = $Identity.Value }
    }
    if (-not [IO.Directory]::Exists($Folder.path)) {
        [void] $Found.Add(@{ path = $Folder.path; exists = $false })
        continue
    }
    $Access = [IO.Directory]::GetAccessControl($Folder.path)
    $Owner = $Access.GetOwner([Security.Principal.SecurityIdentifier])
    $Entries = New-Object System.Collections.ArrayList
    foreach ($Rule in $Access.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])) {
        [void] $Entries.Add(@{
            sid         = $Rule.IdentityReference.Value
            rights      = [int] $Rule.FileSystemRights
            allow       = [string] $Rule.AccessControlType -eq 'Allow'
            inherited   = $Rule.IsInherited
            inheritance = [int] $Rule.InheritanceFlags
            propagation = [int] $Rule.PropagationFlags
        })
    }
    $State = @{ path = $Folder.path; exists = $true; protected = $Access.AreAccessRulesProtected; owner = $Owner.Value; entries = [object[]] $Entries.ToArray() }
    if ($Request.contents) {
        $State.files = [IO.Directory]::GetFiles($Folder.path, '*', [IO.SearchOption]::AllDirectories).Length
    }
    [void] $Found.Add($State)
}
# Names for what the lists hold, each asked for once.
$Accounts = @{}
foreach ($State in $Found) {
    foreach ($Sid in @($State.owner) + @($State.entries | ForEach-Object { $_.sid })) {
        if ($Sid -and -not $Accounts.ContainsKey($Sid)) { $Accounts[$Sid] = Get-AccountName $Sid }
    }
}
@{ folders = [object[]] $Found.ToArray(); identities = $Identities; accounts = $Accounts }
