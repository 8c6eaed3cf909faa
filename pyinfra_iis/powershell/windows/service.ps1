# How a service starts and whether it runs. $Request: name.
$Service = Get-Service -Name $Request.name -ErrorAction SilentlyContinue
if ($null -eq $Service) { return @{ exists = $false } }
$Key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey("SYSTEM\CurrentControlSet\Services\$($Service.Name)")
$Start = [string] $Service.StartType
if ($Start -eq 'Automatic' -and $Key.GetValue('DelayedAutostart', 0) -eq 1) { $Start = 'AutomaticDelayed' }
@{ exists = $true; start = $Start; state = [string] $Service.Status }
