# The files and folders that a site needs, and what its identity may do there. $Request: site, application, folder (empty: what the site has now).
# uses: diagnose/target
function Get-Sids($Pool, [string] $Name) {
    $Kind = Format-Attribute $Pool.GetChildElement('processModel').GetAttribute('identityType')
    $Account = "IIS AppPool\$Name"
    $Fixed = @{ LocalSystem = 'S-1-5-18'; LocalService = 'S-1-5-19'; NetworkService = 'S-1-5-20' }
    # Everyone, Authenticated Users, Users, IIS_IUSRS, and the kinds of logon that a worker process has.
    $Sids = @('S-1-1-0', 'S-1-5-11', 'S-1-5-32-545', 'S-1-5-32-568', 'S-1-5-6', 'S-1-2-0')
    if ($Fixed.ContainsKey($Kind)) {
        if ($Kind -eq 'LocalSystem') { $Sids += 'S-1-5-32-544' }
        return @{ name = (New-Object Security.Principal.SecurityIdentifier $Fixed[$Kind]).Translate([Security.Principal.NTAccount]).Value; sids = @($Fixed[$Kind]) + $Sids; known = $true }
    }
    if ($Kind -eq 'SpecificUser') { $Account = [string] $Pool.GetChildElement('processModel').GetAttributeValue('userName') }
    if ($Account.StartsWith('.\')) { $Account = $Account.Substring(2) }
    $Known = $true
    try { $Sids = @((New-Object Security.Principal.NTAccount $Account).Translate([Security.Principal.SecurityIdentifier]).Value) + $Sids } catch { $Known = $false }
    if ($Kind -eq 'SpecificUser' -and $Known) {
        foreach ($Group in @(Get-LocalGroup)) {
            try { foreach ($Member in @(Get-LocalGroupMember -Group $Group)) { if ([string] $Member.SID -eq $Sids[0]) { $Sids += [string] $Group.SID } } } catch { }
        }
    }
    @{ name = $Account; sids = $Sids; known = $Known }
}
function Get-Mask([int] $Rights) {
    if ($Rights -band 0x10000000) { $Rights = $Rights -bor 0x1F01FF }
    if ($Rights -band 0x20000000) { $Rights = $Rights -bor 0x1200A0 }
    if ($Rights -band 0x40000000) { $Rights = $Rights -bor 0x120116 }
    if ($Rights -lt 0) { $Rights = $Rights -bor 0x120089 }
    $Rights -band 0x1F01FF
}
# What a list of access grants to somebody with these SIDs: the first entry that speaks of a right decides.
function Get-Access([string] $Path, $Sids) {
    $Granted = 0
    $Denied = 0
    if ([IO.Directory]::Exists($Path)) { $List = [IO.Directory]::GetAccessControl($Path) } else { $List = [IO.File]::GetAccessControl($Path) }
    foreach ($Rule in $List.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])) {
        if (([int] $Rule.PropagationFlags) -band 2 -or $Sids -notcontains $Rule.IdentityReference.Value) { continue }
        $Mask = Get-Mask ([int] $Rule.FileSystemRights)
        if ([string] $Rule.AccessControlType -eq 'Deny') { $Denied = $Denied -bor ($Mask -band (-bnot $Granted)) } else { $Granted = $Granted -bor ($Mask -band (-bnot $Denied)) }
    }
    $Granted
}
if (-not [IO.File]::Exists($Library)) { return $null }
$Manager = New-ServerManager
$Target = Find-Target $Manager $Request
if ($null -eq $Target.application) { return $null }
$Platform = Get-Platform $Manager $Target $Request
$Answer = @{ identity = ''; identity_known = $false; paths = @(); environment = $null; release = $null }
$Sids = @()
if ($null -ne $Target.pool) {
    $Who = Get-Sids $Target.pool $Target.pool_name
    $Answer.identity = $Who.name
    $Answer.identity_known = $Who.known
    $Sids = $Who.sids
}
$Manager.Dispose()
$Wanted = New-Object System.Collections.ArrayList
function Add-Path([string] $Role, [string] $Path) { [void] $Wanted.Add(@($Role, $Path)) }
Add-Path 'site' $Target.folder
Add-Path 'web.config' ([IO.Path]::Combine($Target.folder, 'web.config'))
Add-Path 'offline' ([IO.Path]::Combine($Target.folder, 'app_offline.htm'))
$Program = [string] $Platform['processPath']
if ($Program) {
    if ($Program.IndexOf('\') -lt 0) {
        $Name = $Program
        if (-not [IO.Path]::HasExtension($Name)) { $Name += '.exe' }
        foreach ($Folder in @([Environment]::SystemDirectory) + @([Environment]::GetEnvironmentVariable('Path', 'Machine').Split(';'))) {
            $Folder = [Environment]::ExpandEnvironmentVariables($Folder).Trim('"', ' ')
            if ($Folder -and [IO.File]::Exists([IO.Path]::Combine($Folder, $Name))) { $Program = [IO.Path]::Combine($Folder, $Name); break }
        }
    }
    Add-Path 'program' $Program
    if ($Program.IndexOf('\') -ge 0) {
        $Base = [IO.Path]::GetDirectoryName($Program)
        $Scripts = $Base
        $Config = ''
        foreach ($Folder in $Base, [IO.Path]::GetDirectoryName($Base)) {
            if ($Folder -and -not $Config -and [IO.File]::Exists([IO.Path]::Combine($Folder, 'pyvenv.cfg'))) { $Config = [IO.Path]::Combine($Folder, 'pyvenv.cfg') }
        }
        if ($Config) {
            $Values = @{}
            foreach ($Line in [IO.File]::ReadAllLines($Config)) { if ($Line -match '^\s*([\w-]+)\s*=\s*(.*?)\s*$') { $Values[$Matches[1].ToLowerInvariant()] = $Matches[2] } }
            $Answer.environment = @{ path = [IO.Path]::GetDirectoryName($Config); home = [string] $Values['home']; version = [string] $Values['version'] }
            Add-Path 'pyvenv.cfg' $Config
            Add-Path 'packages' ([IO.Path]::Combine([IO.Path]::GetDirectoryName($Config), 'Lib\site-packages'))
            $Base = [string] $Values['home']
            if ($Base) { Add-Path 'base' ([IO.Path]::Combine($Base, [IO.Path]::GetFileName($Program))) }
        }
        if ($Base) {
            Add-Path 'library' ([IO.Path]::Combine($Base, 'Lib\os.py'))
            if ([IO.Directory]::Exists($Base)) {
                foreach ($File in [IO.Directory]::GetFiles($Base, 'python3*.dll')) { Add-Path 'dll' $File }
            }
        }
        foreach ($Name in 'python.exe', 'pyvenv.cfg') { if ([IO.File]::Exists([IO.Path]::Combine($Scripts, $Name))) { Add-Path 'beside' ([IO.Path]::Combine($Scripts, $Name)) } }
    }
}
$Log = [string] $Platform['stdoutLogFile']
if ($Log -and [IO.Path]::GetDirectoryName($Log)) { Add-Path 'log' ([IO.Path]::GetDirectoryName($Log)) }
# A release of the deploy: its neighbours say what else is going on.
$Releases = [IO.Path]::GetDirectoryName($Target.folder.TrimEnd('\'))
if ($Releases -and [IO.Path]::GetFileName($Releases) -eq 'releases') {
    $Root = [IO.Path]::GetDirectoryName($Releases)
    $Id = [IO.Path]::GetFileName($Target.folder.TrimEnd('\'))
    $Release = @{ root = $Root; id = $Id; bad = ''; lock = $null; partial = [object[]] @(); maintenance = $false; draining = $false; record = [IO.File]::Exists([IO.Path]::Combine($Releases, "$Id.json")) }
    if ([IO.File]::Exists([IO.Path]::Combine($Releases, "$Id.bad"))) { $Release.bad = 'marked bad' }
    $Half = @()
    foreach ($Folder in $Releases, [IO.Path]::Combine($Root, 'venvs')) { if ([IO.Directory]::Exists($Folder)) { $Half += @([IO.Directory]::GetDirectories($Folder, '*.partial')) } }
    $Release.partial = [object[]] $Half
    $Release.maintenance = [IO.File]::Exists([IO.Path]::Combine($Root, 'shared\maintenance.json'))
    # The file says until when, in seconds since 1970; one that nobody has taken away ends by itself.
    $Drain = [IO.Path]::Combine($Root, 'shared\draining')
    if ([IO.File]::Exists($Drain)) {
        $Now = ([DateTime]::UtcNow - (New-Object DateTime 1970, 1, 1)).TotalSeconds
        try { $Release.draining = [double]::Parse([IO.File]::ReadAllText($Drain), [Globalization.CultureInfo]::InvariantCulture) -gt $Now } catch { }
    }
    $Lock = [IO.Path]::Combine($Root, 'deploy.lock')
    if ([IO.File]::Exists($Lock)) {
        try {
            $Holder = ConvertFrom-Json ([IO.File]::ReadAllText($Lock))
            $Running = $null
            try { $Running = [Diagnostics.Process]::GetProcessById($Holder.process) } catch { }
            $Alive = $null -ne $Running -and $Running.StartTime.ToUniversalTime().ToString('o') -eq $Holder.started
            $Release.lock = @{ by = [string] $Holder.by; since = [string] $Holder.since; process = [int] $Holder.process; alive = $Alive }
        } catch { }
    }
    foreach ($Name in 'shared\data', 'shared\media', 'shared\logs') { if ([IO.Directory]::Exists([IO.Path]::Combine($Root, $Name))) { Add-Path 'shared' ([IO.Path]::Combine($Root, $Name)) } }
    $Answer.release = $Release
}
foreach ($One in $Wanted) {
    $Item = @{ role = $One[0]; path = $One[1]; exists = $false; kind = ''; access = -1; problem = '' }
    try {
        if ([IO.Directory]::Exists($One[1])) { $Item.exists = $true; $Item.kind = 'folder' }
        elseif ([IO.File]::Exists($One[1])) { $Item.exists = $true; $Item.kind = 'file' }
        # Without a pool there is nobody who may or may not.
        if ($Item.exists -and $Sids.Count) { $Item.access = Get-Access $One[1] $Sids }
    } catch { $Item.problem = $_.Exception.GetBaseException().Message }
    $Answer.paths += $Item
}
$Answer.paths = [object[]] $Answer.paths
$Answer
