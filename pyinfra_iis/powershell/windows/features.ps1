# Which of the named features are installed. $Request: server and client (lists of feature names for either kind of Windows).
$Version = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$Installed = @{}
if ($Version.InstallationType -eq 'Client') {
    foreach ($Name in $Request.client) {
        $Feature = Get-WindowsOptionalFeature -Online -FeatureName $Name
        $Installed[$Name] = ($null -ne $Feature) -and ([string] $Feature.State -eq 'Enabled')
    }
} else {
    foreach ($Name in $Request.server) { $Installed[$Name] = $false }
    foreach ($Feature in (Get-WindowsFeature -Name $Request.server)) { $Installed[$Feature.Name] = [bool] $Feature.Installed }
}
@{ kind = $Version.InstallationType; features = $Installed }
