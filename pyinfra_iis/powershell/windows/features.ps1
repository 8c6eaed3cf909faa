# Which of the named features are installed, or wait for a restart. $Request: server and client (lists of feature names for either kind of Windows).
$Version = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$Installed = @{}
$States = @{}
if ($Version.InstallationType -eq 'Client') {
    foreach ($Name in $Request.client) {
        $Feature = Get-WindowsOptionalFeature -Online -FeatureName $Name
        $States[$Name] = ''
        if ($null -ne $Feature) { $States[$Name] = [string] $Feature.State }
        $Installed[$Name] = $States[$Name] -in 'Enabled', 'EnablePending'
    }
} else {
    foreach ($Name in $Request.server) { $Installed[$Name] = $false; $States[$Name] = '' }
    foreach ($Feature in (Get-WindowsFeature -Name $Request.server)) {
        $States[$Feature.Name] = [string] $Feature.InstallState
        $Installed[$Feature.Name] = $States[$Feature.Name] -in 'Installed', 'InstallPending'
    }
}
@{ kind = $Version.InstallationType; features = $Installed; states = $States }
