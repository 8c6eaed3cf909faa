# The server itself: clock, disks, a restart that is due, who listens on which port, its addresses, its HttpPlatformHandlers.
$Version = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$Answer = @{ name = $env:COMPUTERNAME; product = [string] $Version.ProductName; time = [DateTime]::UtcNow.ToString('o'); restart = @(); disks = @(); listeners = @(); addresses = @() }
if (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') { $Answer.restart += 'Component Based Servicing' }
if (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired') { $Answer.restart += 'Windows Update' }
foreach ($Drive in [IO.DriveInfo]::GetDrives()) {
    if ($Drive.IsReady -and [string] $Drive.DriveType -eq 'Fixed') { $Answer.disks += @{ name = $Drive.Name; free = [long] $Drive.AvailableFreeSpace; size = [long] $Drive.TotalSize } }
}
$Names = @{}
foreach ($One in (Get-Process)) { $Names[[int] $One.Id] = [string] $One.ProcessName }
foreach ($One in @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue)) {
    $Answer.listeners += @{ address = [string] $One.LocalAddress; port = [int] $One.LocalPort; process = [int] $One.OwningProcess; name = [string] $Names[[int] $One.OwningProcess] }
}
foreach ($One in [Net.Dns]::GetHostAddresses($env:COMPUTERNAME)) { $Answer.addresses += [string] $One }
foreach ($Name in 'restart', 'disks', 'listeners', 'addresses') { $Answer[$Name] = [object[]] $Answer[$Name] }
$Answer
