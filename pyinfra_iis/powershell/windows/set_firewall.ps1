# Makes an inbound firewall rule, or makes it anew. $Request: name, title, ports (texts).
Remove-NetFirewallRule -Name $Request.name -ErrorAction SilentlyContinue
[void] (New-NetFirewallRule -Name $Request.name -DisplayName $Request.title -Direction Inbound -Action Allow -Protocol TCP -LocalPort $Request.ports)
$null
