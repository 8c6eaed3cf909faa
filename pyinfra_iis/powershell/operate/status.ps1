# How an application does just now, beside what other facts tell. $Request: root, site, application (its path), pool. A part that cannot be told is in problems.
# uses: iis/server_manager
# uses: operate/backend
# uses: iis/certificate_faults
$State = @{
    time = [DateTime]::UtcNow.ToString('s') + 'Z'; installed = [IO.File]::Exists($Library); pool = ''; site = ''; workers = [object[]] @(); processes = [object[]] @()
    interpreter = ''; python = ''; gate = $false; certificates = [object[]] @(); disk = $null; maintenance = $null; draining = $false; deploying = $null; problems = [object[]] @()
}
$Problems = New-Object System.Collections.ArrayList
function Add-Problem([string] $What, $Record) { [void] $Problems.Add($What + ': ' + $Record.Exception.GetBaseException().Message) }

if ($State.installed) {
    $Manager = New-ServerManager
    try {
        $Pool = $Manager.ApplicationPools[$Request.pool]
        if ($null -ne $Pool) { $State.pool = [string] $Pool.State }
        $Application = Find-Application $Manager $Request.site $Request.application
        $Site = $null
        if ($null -ne $Application) { $Site = $Manager.Sites[$Request.site]; $State.site = [string] $Site.State }
    } catch { Add-Problem 'IIS' $_ }
    try {
        $Workers = @(Get-Workers $Manager $Request.pool)
        $State.workers = [object[]] $Workers
        $State.processes = [object[]] @(Get-Backends $Workers)
    } catch { Add-Problem 'processes' $_ }
    if ($null -ne $Site) {
        try {
            $Folder = [string] $Application.VirtualDirectories['/'].PhysicalPath
            $State.gate = [IO.File]::Exists([IO.Path]::Combine($Folder, 'pyinfra_iis_gate.py'))
        } catch { Add-Problem 'release' $_ }
        try { $State.interpreter = [string] $Manager.GetWebConfiguration($Request.site, $Application.Path).GetSection('system.webServer/httpPlatform').GetAttributeValue('processPath') }
        catch { Add-Problem 'web.config' $_ }
        try {
            $Store = New-Object Security.Cryptography.X509Certificates.X509Store 'My', 'LocalMachine'
            $Store.Open('ReadOnly')
            $Certificates = foreach ($Binding in $Site.Bindings) {
                if ($Binding.Protocol -ne 'https') { continue }
                $Found = $null
                $Thumbprint = ''
                if ($null -ne $Binding.CertificateHash) { $Thumbprint = [BitConverter]::ToString($Binding.CertificateHash).Replace('-', '') }
                foreach ($Certificate in $Store.Certificates) { if ($Certificate.Thumbprint -eq $Thumbprint) { $Found = $Certificate } }
                if ($null -eq $Found) { @{ binding = $Binding.BindingInformation; thumbprint = $Thumbprint; subject = ''; expires = ''; days = $null; faults = [object[]] @() } }
                else {
                    $Name = $Binding.Host
                    if ($Name.StartsWith('*.')) { $Name = 'www' + $Name.Substring(1) }
                    $Expires = $Found.NotAfter.ToUniversalTime()
                    @{ binding = $Binding.BindingInformation; thumbprint = $Thumbprint; subject = $Found.Subject; expires = $Expires.ToString('s') + 'Z'; days = [int] [Math]::Floor(($Expires - [DateTime]::UtcNow).TotalDays); faults = [object[]] @(Get-CertificateFaults $Found $Name) }
                }
            }
            $State.certificates = [object[]] @($Certificates)
            $Store.Close()
        } catch { Add-Problem 'certificates' $_ }
    }
    $Manager.Dispose()
}
if ($State.interpreter) {
    try {
        $Folder = [IO.Path]::GetDirectoryName([IO.Path]::GetDirectoryName($State.interpreter))
        $Note = [IO.Path]::Combine($Folder, 'pyvenv.cfg')
        if ([IO.File]::Exists($Note)) {
            foreach ($Line in [IO.File]::ReadAllLines($Note)) { if ($Line -match '^\s*version(_info)?\s*=\s*(?<version>\d+\.\d+\.\d+)') { $State.python = $Matches.version } }
        }
        if (-not [IO.File]::Exists($State.interpreter)) { [void] $Problems.Add("python: $($State.interpreter) does not exist") }
    } catch { Add-Problem 'python' $_ }
}
try {
    $Drive = New-Object IO.DriveInfo ([IO.Path]::GetPathRoot($Request.root))
    $State.disk = @{ drive = $Drive.Name; free = [long] $Drive.AvailableFreeSpace; total = [long] $Drive.TotalSize }
} catch { Add-Problem 'disk' $_ }
$Shared = [IO.Path]::Combine($Request.root, 'shared')
$Page = [IO.Path]::Combine($Shared, 'maintenance.json')
if ([IO.File]::Exists($Page)) {
    $State.maintenance = @{ since = [IO.File]::GetLastWriteTimeUtc($Page).ToString('s') + 'Z'; retry_after = $null; page = '' }
    try {
        $Notice = ConvertFrom-Json ([IO.File]::ReadAllText($Page))
        $State.maintenance.retry_after = $Notice.retry_after
        $State.maintenance.page = Get-Sum $Notice.page
    } catch { Add-Problem 'maintenance.json' $_ }
}
$State.draining = [IO.File]::Exists([IO.Path]::Combine($Shared, 'draining'))
$Lock = [IO.Path]::Combine($Request.root, 'deploy.lock')
if ([IO.File]::Exists($Lock)) {
    try {
        $Stream = New-Object IO.FileStream $Lock, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), ([IO.FileShare] 'ReadWrite, Delete')
        $Text = (New-Object IO.StreamReader $Stream).ReadToEnd()
        $Stream.Dispose()
        if ($Text) {
            $Holder = ConvertFrom-Json $Text
            $Process = $null
            # The note outlives the deploy; the deploy is there while its process is. Of some of Windows' own processes nobody learns when they started.
            try { $Process = [Diagnostics.Process]::GetProcessById([int] $Holder.process) } catch [ArgumentException] { }
            if ($null -ne $Process -and $Process.ProcessName -eq [Diagnostics.Process]::GetCurrentProcess().ProcessName -and $Process.StartTime.ToUniversalTime().ToString('o') -eq $Holder.started) {
                $State.deploying = @{ by = [string] $Holder.by; since = [string] $Holder.since; process = [int] $Holder.process }
            }
        }
    } catch [IO.IOException] { $State.deploying = @{ by = ''; since = ''; process = 0 } }
    catch { Add-Problem 'deploy.lock' $_ }
}
$State.problems = [object[]] $Problems.ToArray()
$State
