# Makes a firewall rule, or changes properties of one. $Request: name, exists, properties (parameters of New- and Set-NetFirewallRule by name).
$Properties = @{}
foreach ($Property in $Request.properties.PSObject.Properties) { $Properties[$Property.Name] = $Property.Value }
if ($Request.exists) {
    if ($Properties.ContainsKey('DisplayName')) { $Properties['NewDisplayName'] = $Properties['DisplayName']; $Properties.Remove('DisplayName') }
    Set-NetFirewallRule -Name $Request.name @Properties
} else {
    [void] (New-NetFirewallRule -Name $Request.name @Properties)
}
$null
