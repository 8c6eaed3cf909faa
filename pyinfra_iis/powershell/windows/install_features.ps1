# Installs Windows features. $Request: kind (Server, Server Core or Client), names (a list), source (a folder with Windows' files, or empty).
$Restart = $false
if ($Request.kind -eq 'Client') {
    foreach ($Name in $Request.names) {
        $Options = @{ Online = $true; FeatureName = $Name; All = $true; NoRestart = $true }
        if ($Request.source) { $Options.Source = $Request.source; $Options.LimitAccess = $true }
        $Result = Enable-WindowsOptionalFeature @Options
        if ($Result.RestartNeeded) { $Restart = $true }
    }
} else {
    $Options = @{ Name = $Request.names }
    if ($Request.source) { $Options.Source = $Request.source }
    $Result = Install-WindowsFeature @Options
    if (-not $Result.Success) { throw "Windows did not install the features $($Request.names -join ', '): exit code $($Result.ExitCode)." }
    $Restart = [string] $Result.RestartNeeded -eq 'Yes'
}
@{ installed = $Request.names; restart_needed = $Restart }
