# Removes a firewall rule. $Request: name.
Remove-NetFirewallRule -Name $Request.name
$null
