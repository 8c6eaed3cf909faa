# Runs a program of ours with the server's Python and the environment variables of a site's app pool. $Request: pool, and as python/run.
# uses: iis/server_manager
# uses: windows/run_program
# uses: release/lock
Enter-Deploy $Request.folder $Request.by
$Environment = @{}
$Manager = New-ServerManager
$Pool = Find-Item $Manager.GetApplicationHostConfiguration().GetSection('system.applicationHost/applicationPools').GetCollection() 'name' $Request.pool
if ($null -ne $Pool) {
    foreach ($Variable in $Pool.GetCollection('environmentVariables')) { $Environment[$Variable.GetAttributeValue('name')] = $Variable.GetAttributeValue('value') }
}
$Manager.Dispose()
$ExitCode = Invoke-Helper $Request $Environment
if ($ExitCode -ne 0) { exit 1 }
$null
