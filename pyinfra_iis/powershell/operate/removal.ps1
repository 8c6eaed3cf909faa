# What belongs to an application on this server, and who else uses its pool and its Python. $Request: root, site, application (its path), pool, python (folder of its Python), purge (what people made goes too).
# uses: iis/server_manager
$State = @{
    path = ''; applications = @(); pool_users = @(); folders = @(); files = @(); shared = ''
    python = @{ exists = [IO.Directory]::Exists($Request.python); made = [IO.File]::Exists([IO.Path]::Combine($Request.python, 'pyinfra-iis.json')); users = @() }
}
function Test-Inside([string] $Path, [string] $Folder) { ($Path.TrimEnd('\') + '\').StartsWith($Folder.TrimEnd('\') + '\', [StringComparison]::OrdinalIgnoreCase) }
# Whether a folder is a virtual environment of the application's Python.
function Test-Environment([string] $Folder) {
    $Note = [IO.Path]::Combine($Folder, 'pyvenv.cfg')
    if (-not [IO.File]::Exists($Note)) { return $false }
    foreach ($Line in [IO.File]::ReadAllLines($Note)) { if ($Line -match '^\s*home\s*=\s*(?<home>.*\S)') { return (Test-Inside $Matches.home $Request.python) } }
    $false
}
function Get-Parent([string] $Path, [int] $Levels) {
    for ($Level = 0; $Level -lt $Levels -and $Path; $Level++) { $Path = [IO.Path]::GetDirectoryName($Path) }
    $Path
}

# Other applications: what sites serve and run, and the folders beside ours.
$Folders = New-Object System.Collections.ArrayList
$Programs = New-Object System.Collections.ArrayList
$Beside = Get-Parent $Request.root 1
if ([IO.Directory]::Exists($Beside)) { foreach ($Folder in [IO.Directory]::GetDirectories($Beside)) { [void] $Folders.Add($Folder) } }
if ([IO.File]::Exists($Library)) {
    $Manager = New-ServerManager
    foreach ($Site in $Manager.Sites) {
        foreach ($Application in $Site.Applications) {
            $Path = ''
            if ($null -ne $Application.VirtualDirectories['/']) { $Path = [Environment]::ExpandEnvironmentVariables([string] $Application.VirtualDirectories['/'].PhysicalPath).TrimEnd('\') }
            $IsOurs = $Site.Name -eq $Request.site
            if ($IsOurs -and $Application.Path -eq $Request.application) { $State.path = $Path; continue }
            if ($IsOurs -and $Request.application -eq '/') { $State.applications += $Application.Path; continue }
            if ($Application.ApplicationPoolName -eq $Request.pool) { $State.pool_users += $Site.Name + $Application.Path }
            if ($Path) { [void] $Folders.Add($Path); [void] $Folders.Add((Get-Parent $Path 2)) }
            try { $Program = [string] $Manager.GetWebConfiguration($Site.Name, $Application.Path).GetSection('system.webServer/httpPlatform').GetAttributeValue('processPath') } catch { continue }
            if ($Program) { [void] $Programs.Add(@{ who = "site $($Site.Name)"; path = [Environment]::ExpandEnvironmentVariables($Program) }) }
        }
    }
    $Manager.Dispose()
}
if ($State.python.exists -and $State.python.made) {
    $Users = New-Object System.Collections.ArrayList
    foreach ($Folder in ($Folders | Where-Object { $_ -and -not (Test-Inside $_ $Request.root) } | Sort-Object -Unique)) {
        $Environments = @($Folder)
        $Several = [IO.Path]::Combine($Folder, 'venvs')
        if ([IO.Directory]::Exists($Several)) { $Environments += [IO.Directory]::GetDirectories($Several) }
        foreach ($Environment in $Environments) { if (Test-Environment $Environment) { [void] $Users.Add("virtual environment $Environment") } }
    }
    foreach ($Service in (Get-CimInstance -ClassName Win32_Service)) {
        if ($Service.PathName -match '^"(?<path>[^"]+)"|^(?<path>[^"]+?\.exe)') { [void] $Programs.Add(@{ who = "service $($Service.Name)"; path = $Matches.path }) }
    }
    $Images = @{}
    $Processes = @(Get-CimInstance -ClassName Win32_Process)
    foreach ($Process in $Processes) { $Images[[int] $Process.ProcessId] = [string] $Process.ExecutablePath }
    foreach ($Process in $Processes) {
        # A virtual environment's python.exe runs the Python that it was made from as its child: the application's own ends with it.
        $Parent = [string] $Images[[int] $Process.ParentProcessId]
        if (-not (Test-Inside $Parent $Request.root)) { [void] $Programs.Add(@{ who = "process $($Process.ProcessId)"; path = [string] $Process.ExecutablePath }) }
    }
    foreach ($Program in $Programs) {
        if (-not $Program.path -or (Test-Inside $Program.path $Request.root)) { continue }
        if ((Test-Inside $Program.path $Request.python) -or (Test-Environment (Get-Parent $Program.path 2))) { [void] $Users.Add($Program.who) }
    }
    $State.python.users = [object[]] @($Users | Sort-Object -Unique)
}

if ([IO.Directory]::Exists($Request.root)) {
    $Shared = [IO.Path]::Combine($Request.root, 'shared')
    if ($Request.purge) { $State.folders = @($Request.root) }
    else {
        $State.folders = @([IO.Directory]::GetDirectories($Request.root) | Where-Object { [IO.Path]::GetFileName($_) -ne 'shared' })
        $State.files = @([IO.Directory]::GetFiles($Request.root))
        foreach ($Name in 'maintenance.json', 'maintenance.json.partial', 'draining') {
            $Path = [IO.Path]::Combine($Shared, $Name)
            if ([IO.File]::Exists($Path)) { $State.files += $Path }
        }
        if ([IO.Directory]::Exists($Shared)) { $State.shared = $Shared }
    }
}
foreach ($Name in 'applications', 'pool_users', 'folders', 'files') { $State[$Name] = [object[]] $State[$Name] }
$State
