# What kind of Windows this is and who we are on it.
$Version = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$Identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$Principal = New-Object Security.Principal.WindowsPrincipal $Identity
$Drives = @{}
foreach ($Drive in [IO.DriveInfo]::GetDrives()) { if ($Drive.IsReady) { $Drives[$Drive.Name.Substring(0, 2).ToUpperInvariant()] = $Drive.AvailableFreeSpace } }
@{
    name          = $env:COMPUTERNAME
    product       = $Version.ProductName
    build         = [int] $Version.CurrentBuildNumber
    kind          = $Version.InstallationType
    architecture  = $env:PROCESSOR_ARCHITECTURE
    powershell    = $PSVersionTable.PSVersion.ToString()
    user          = $Identity.Name
    administrator = $Principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    drives        = $Drives
}
