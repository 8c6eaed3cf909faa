# Which started sites have a binding that another site is to get. $Request: site, bindings (protocol/ip:port:host each, in small letters), addresses (whether to
# tell the server's own, also those that it never takes as a source, which DNS does not know).
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
$Installed = [IO.File]::Exists($Library)
if ($Installed) {
    $Manager = New-ServerManager
    try {
        foreach ($Site in $Manager.Sites) {
            if ($Site.Name -eq $Request.site) { continue }
            $Taken = @(foreach ($Binding in $Site.Bindings) {
                $Text = "$($Binding.Protocol)/$($Binding.BindingInformation)"
                if ($Request.bindings -contains $Text) { $Text }
            })
            # A site without a state is broken, and listens nowhere.
            $State = ''
            if ($Taken.Count) { try { $State = [string] $Site.State } catch { $State = '' } }
            if ($State -in 'Started', 'Starting') {
                [void] $Found.Add(@{ name = $Site.Name; bindings = [object[]] $Taken; untouched = (Test-Untouched $Site) })
            }
        }
    } finally {
        $Manager.Dispose()
    }
}
$Addresses = @()
if ($Request.addresses) {
    foreach ($Adapter in @(Get-CimInstance -ClassName Win32_NetworkAdapterConfiguration -Filter 'IPEnabled = TRUE')) { $Addresses += @($Adapter.IPAddress) }
}
@{ installed = $Installed; addresses = [object[]] $Addresses; sites = [object[]] $Found.ToArray() }
