# Starts a release on a spare port with the environment of its app pool. $Request: pool, interpreter, arguments, folder, program.
# uses: iis/server_manager
# uses: windows/run_program
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
