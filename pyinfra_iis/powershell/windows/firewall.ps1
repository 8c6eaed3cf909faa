# Which TCP ports an inbound firewall rule lets through. $Request: name.
$Rule = Get-NetFirewallRule -Name $Request.name -ErrorAction SilentlyContinue
if ($null -eq $Rule) { return @{ exists = $false; enabled = $false; allows = $false; ports = [object[]] @() } }
$Filter = $Rule | Get-NetFirewallPortFilter
@{
    exists  = $true
    enabled = [string] $Rule.Enabled -eq 'True'
    allows  = [string] $Rule.Action -eq 'Allow' -and [string] $Rule.Direction -eq 'Inbound' -and $Filter.Protocol -eq 'TCP'
    ports   = [object[]] @(foreach ($Port in $Filter.LocalPort) { [string] $Port })
}
