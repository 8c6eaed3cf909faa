# The environment variables that the processes of an app pool get.
# uses: iis/server_manager
function Get-PoolEnvironment([string] $Name) {
    $Environment = @{}
    $Manager = New-ServerManager
    $Pool = Find-Item $Manager.GetApplicationHostConfiguration().GetSection('system.applicationHost/applicationPools').GetCollection() 'name' $Name
    if ($null -ne $Pool) {
        foreach ($Variable in $Pool.GetCollection('environmentVariables')) { $Environment[$Variable.GetAttributeValue('name')] = $Variable.GetAttributeValue('value') }
    }
    $Manager.Dispose()
    $Environment
}
