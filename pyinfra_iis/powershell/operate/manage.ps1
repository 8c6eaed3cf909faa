# Runs manage.py of the live release as the site's process would: its Python, its folder, the variables of its app pool and web.config. Output comes as the command writes it.
# $Request: site, application (its path), pool, arguments (one command line, quoted). $Secrets: further environment variables.
# uses: iis/pool_environment
if (-not [IO.File]::Exists($Library)) { throw "$($env:COMPUTERNAME) has no IIS, so no release of $($Request.site) is live; deploy it first." }
$Start = New-Object Diagnostics.ProcessStartInfo
$Manager = New-ServerManager
$Application = Find-Application $Manager $Request.site $Request.application
if ($null -eq $Application) { throw "$($env:COMPUTERNAME) has no site $($Request.site)$($Request.application.TrimEnd('/')), so no release is live; deploy it first." }
$Folder = [string] $Application.VirtualDirectories['/'].PhysicalPath
if (-not [IO.File]::Exists([IO.Path]::Combine($Folder, 'manage.py'))) { throw "The live release of $($Request.site) on $($env:COMPUTERNAME), $Folder, has no manage.py." }
$Environment = Get-PoolEnvironment $Request.pool
foreach ($Name in $Environment.Keys) { $Start.EnvironmentVariables[$Name] = [string] $Environment[$Name] }
$Platform = $Manager.GetWebConfiguration($Request.site, $Application.Path).GetSection('system.webServer/httpPlatform')
foreach ($Variable in $Platform.GetCollection('environmentVariables')) {
    $Start.EnvironmentVariables[$Variable.GetAttributeValue('name')] = [Environment]::ExpandEnvironmentVariables([string] $Variable.GetAttributeValue('value'))
}
if ($Secrets) { foreach ($Variable in $Secrets.PSObject.Properties) { $Start.EnvironmentVariables[$Variable.Name] = [string] $Variable.Value } }
$Start.FileName = [Environment]::ExpandEnvironmentVariables([string] $Platform.GetAttributeValue('processPath'))
$Manager.Dispose()
$Start.Arguments = 'manage.py ' + $Request.arguments
$Start.WorkingDirectory = $Folder
$Start.UseShellExecute = $false
$Start.CreateNoWindow = $true
$Start.RedirectStandardInput = $true
$Start.RedirectStandardOutput = $true
$Start.RedirectStandardError = $true
$Start.StandardOutputEncoding = New-Object Text.UTF8Encoding $false
$Start.StandardErrorEncoding = New-Object Text.UTF8Encoding $false
$Process = [Diagnostics.Process]::Start($Start)
$Process.StandardInput.Close()
$Pipes = @(@{ Reader = $Process.StandardOutput; Writer = [Console]::Out; Task = $null }, @{ Reader = $Process.StandardError; Writer = [Console]::Error; Task = $null })
while ($true) {
    $Tasks = @(foreach ($Pipe in $Pipes) {
        if ($null -eq $Pipe.Reader) { continue }
        if ($null -eq $Pipe.Task) { $Pipe.Task = $Pipe.Reader.ReadLineAsync() }
        $Pipe.Task
    })
    if ($Tasks.Count -eq 0) { break }
    [void] [Threading.Tasks.Task]::WaitAny([Threading.Tasks.Task[]] $Tasks)
    foreach ($Pipe in $Pipes) {
        if ($null -eq $Pipe.Task -or -not $Pipe.Task.IsCompleted) { continue }
        $Line = $Pipe.Task.Result
        $Pipe.Task = $null
        if ($null -eq $Line) { $Pipe.Reader = $null } else { $Pipe.Writer.WriteLine($Line) }
    }
}
$Process.WaitForExit()
if ($Process.ExitCode -ne 0) {
    [Console]::Error.WriteLine("manage.py ended with exit code $($Process.ExitCode) on $($env:COMPUTERNAME).")
    exit $Process.ExitCode
}
$null
