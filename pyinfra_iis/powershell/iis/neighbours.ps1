# Which started sites have a binding that another site is to get. $Request: site, bindings (protocol/ip:port:host each, in small letters), addresses (whether to
# tell the server's own, also those that it never takes as a source, which DNS does not know).
# Also which other programs have its ports, where no started site has them (ports: address, port; the address * is every one).
# A site is untouched while it is what IIS itself has made: its welcome page, and nothing else.
# uses: iis/server_manager
function Test-Untouched($Site) {
    if ($Site.Id -ne 1 -or $Site.Bindings.Count -ne 1 -or $Site.Applications.Count -ne 1 -or $Site.Applications[0].VirtualDirectories.Count -ne 1) { return $false }
    $Folder = [Environment]::ExpandEnvironmentVariables([string] $Site.Applications[0].VirtualDirectories[0].PhysicalPath)
    if ($Folder -ne [Environment]::ExpandEnvironmentVariables('%SystemDrive%\inetpub\wwwroot') -or -not [IO.Directory]::Exists($Folder)) { return $false }
    foreach ($Path in [IO.Directory]::GetFileSystemEntries($Folder)) {
        if ([IO.Path]::GetFileName($Path) -notin 'iisstart.htm', 'iisstart.png') { return $false }
    }
    $true
}
$Found = New-Object System.Collections.ArrayList
$Served = @()
$Installed = [IO.File]::Exists($Library)
if ($Installed) {
    $Manager = New-ServerManager
    try {
        foreach ($Site in $Manager.Sites) {
            # A site without a state is broken, and listens nowhere.
            try { $State = [string] $Site.State } catch { $State = '' }
            if ($State -notin 'Started', 'Starting') { continue }
            $Taken = @(foreach ($Binding in $Site.Bindings) {
                $Text = "$($Binding.Protocol)/$($Binding.BindingInformation)"
                $Served += ($Text -split ':')[-2]
                if ($Request.bindings -contains $Text) { $Text }
            })
            if ($Taken.Count -and $Site.Name -ne $Request.site) {
                [void] $Found.Add(@{ name = $Site.Name; bindings = [object[]] $Taken; untouched = (Test-Untouched $Site) })
            }
        }
    } finally {
        $Manager.Dispose()
    }
}
# Who listens is asked only where somebody does: that takes a second.
$Programs = New-Object System.Collections.ArrayList
$Ports = @($Request.ports | Where-Object { $Served -notcontains [string] $_.port })
$Listening = @(if ($Ports.Count) { [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpListeners() })
foreach ($Wanted in $Ports) {
    $There = @($Listening | Where-Object { $_.Port -eq $Wanted.port -and [string] $_.Address -in '0.0.0.0', '::', $Wanted.address })
    if (-not $There.Count) { continue }
    foreach ($Socket in @(Get-NetTCPConnection -State Listen -LocalPort $Wanted.port -ErrorAction SilentlyContinue)) {
        # The kernel, which is HTTP.sys, lets others in; a program does not.
        if ($Socket.OwningProcess -eq 4 -or $Socket.LocalAddress -notin '0.0.0.0', '::', $Wanted.address) { continue }
        $Process = Get-Process -Id $Socket.OwningProcess -ErrorAction SilentlyContinue
        [void] $Programs.Add(@{ port = $Wanted.port; name = [string] $Process.ProcessName; id = $Socket.OwningProcess })
        break
    }
}
$Addresses = @()
if ($Request.addresses) {
    foreach ($Adapter in @(Get-CimInstance -ClassName Win32_NetworkAdapterConfiguration -Filter 'IPEnabled = TRUE')) { $Addresses += @($Adapter.IPAddress) }
}
@{ installed = $Installed; addresses = [object[]] $Addresses; sites = [object[]] $Found.ToArray(); programs = [object[]] $Programs.ToArray() }
