# Takes Windows features off. $Request: kind (Server, Server Core or Client), names (a list).
$Restart = $false
if ($Request.kind -eq 'Client') {
    foreach ($Name in $Request.names) {
        $Result = Disable-WindowsOptionalFeature -Online -FeatureName $Name -NoRestart
        if ($Result.RestartNeeded) { $Restart = $true }
    }
} else {
    $Result = Uninstall-WindowsFeature -Name $Request.names -Confirm:$false
    if (-not $Result.Success) { throw "Windows did not remove the features $($Request.names -join ', '): exit code $($Result.ExitCode)." }
    $Restart = [string] $Result.RestartNeeded -eq 'Yes'
}
@{ removed = $Request.names; restart_needed = $Restart }
