# What a firewall rule does. $Request: name.
$Service = Get-Service -Name MpsSvc -ErrorAction SilentlyContinue
if ($null -eq $Service -or [string] $Service.Status -ne 'Running') { return @{ running = $false; exists = $false } }
$Rule = Get-NetFirewallRule -Name $Request.name -ErrorAction SilentlyContinue
if ($null -eq $Rule) { return @{ running = $true; exists = $false } }
$Ports = $Rule | Get-NetFirewallPortFilter
$Addresses = $Rule | Get-NetFirewallAddressFilter
$Program = $Rule | Get-NetFirewallApplicationFilter
$Scope = $Rule | Get-NetFirewallServiceFilter
@{
    running          = $true
    exists           = $true
    enabled          = [string] $Rule.Enabled -eq 'True'
    title            = [string] $Rule.DisplayName
    description      = [string] $Rule.Description
    direction        = [string] $Rule.Direction
    action           = [string] $Rule.Action
    profiles         = [string] $Rule.Profile
    protocol         = [string] $Ports.Protocol
    ports            = [object[]] @(foreach ($Port in $Ports.LocalPort) { [string] $Port })
    remote_ports     = [object[]] @(foreach ($Port in $Ports.RemotePort) { [string] $Port })
    local_addresses  = [object[]] @(foreach ($Address in $Addresses.LocalAddress) { [string] $Address })
    remote_addresses = [object[]] @(foreach ($Address in $Addresses.RemoteAddress) { [string] $Address })
    program          = [string] $Program.Program
    service          = [string] $Scope.Service
}
