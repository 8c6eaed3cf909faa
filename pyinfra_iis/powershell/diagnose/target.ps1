# uses: iis/server_manager
# Where a folder is named, it is that one's failure which is looked into: when the site has another one by now (`replaced`), IIS cannot tell of it any more.
function Find-Target($Manager, $Request) {
    $Target = @{ site = $null; application = $null; pool = $null; pool_name = ''; path = ''; folder = ''; replaced = $false }
    foreach ($Site in $Manager.Sites) { if ($Site.Name -eq $Request.site) { $Target.site = $Site } }
    if ($null -eq $Target.site) { return $Target }
    $Target.application = $Target.site.Applications[$Request.application]
    if ($null -eq $Target.application) { return $Target }
    $Target.pool_name = [string] $Target.application.ApplicationPoolName
    foreach ($Pool in $Manager.ApplicationPools) { if ($Pool.Name -eq $Target.pool_name) { $Target.pool = $Pool } }
    $Directory = $Target.application.VirtualDirectories['/']
    if ($null -ne $Directory) {
        $Target.path = [string] $Directory.PhysicalPath
        $Target.folder = [Environment]::ExpandEnvironmentVariables($Target.path)
    }
    if ($Request.folder -and $Request.folder -ne $Target.folder) {
        $Target.path = [string] $Request.folder
        $Target.folder = $Target.path
        $Target.replaced = $true
    }
    $Target
}
function Get-Fault($Record) {
    $Cause = $Record.Exception.GetBaseException()
    @{ type = $Cause.GetType().FullName; code = [int] $Cause.HResult; message = [string] $Cause.Message }
}
# The section as IIS sees it, else as it stands in web.config. Values of environment variables are looked at, not told.
function Get-Platform($Manager, $Target, $Request) {
    $Names = 'processPath', 'arguments', 'startupTimeLimit', 'startupRetryCount', 'rapidFailsPerMinute', 'requestTimeout', 'processesPerApplication', 'stdoutLogEnabled', 'stdoutLogFile'
    $Platform = @{ source = ''; set = @(); environment = @(); port_variables = @(); values = @{} }
    try {
        if ($Target.replaced) { throw 'IIS reads another web.config now' }
        $Section = $Manager.GetWebConfiguration($Request.site, $Request.application).GetSection('system.webServer/httpPlatform')
        foreach ($Name in $Names) {
            $Attribute = $null
            try { $Attribute = $Section.GetAttribute($Name) } catch { continue }
            if ($null -ne $Attribute) { $Platform.values[$Name] = Format-Attribute $Attribute }
        }
        foreach ($Variable in $Section.GetCollection('environmentVariables')) {
            $Platform.environment += [string] $Variable.GetAttributeValue('name')
            if (([string] $Variable.GetAttributeValue('value')).Contains('%HTTP_PLATFORM_PORT%')) { $Platform.port_variables += [string] $Variable.GetAttributeValue('name') }
        }
        $Platform.source = 'IIS'
    } catch {
        $Document = New-Object Xml.XmlDocument
        try {
            $Document.Load([IO.Path]::Combine($Target.folder, 'web.config'))
            $Element = $Document.SelectSingleNode('//system.webServer/httpPlatform')
            if ($null -ne $Element) {
                foreach ($Name in $Names) { if ($Element.HasAttribute($Name)) { $Platform.values[$Name] = $Element.GetAttribute($Name) } }
                foreach ($Variable in $Element.SelectNodes('environmentVariables/environmentVariable')) {
                    $Platform.environment += $Variable.GetAttribute('name')
                    if ($Variable.GetAttribute('value').Contains('%HTTP_PLATFORM_PORT%')) { $Platform.port_variables += $Variable.GetAttribute('name') }
                }
                $Platform.source = 'web.config'
            }
        } catch { }
    }
    foreach ($Name in 'processPath', 'stdoutLogFile') {
        if ($Platform.values[$Name]) { $Platform[$Name] = Get-FullPath ([Environment]::ExpandEnvironmentVariables($Platform.values[$Name])) $Target.folder }
    }
    $Platform.environment = [object[]] $Platform.environment
    $Platform.port_variables = [object[]] $Platform.port_variables
    $Platform
}
function Get-FullPath([string] $Path, [string] $Folder) {
    $Path = $Path.Trim('"', ' ')
    # What is no path must not keep the rest from being told.
    try {
        # A bare program name is searched for by Windows.
        if ($Path.IndexOf('\') -lt 0 -and $Path.IndexOf('/') -lt 0) {
            $Beside = [IO.Path]::Combine($Folder, $Path)
            if ([IO.File]::Exists($Beside)) { return $Beside }
            return $Path
        }
        [IO.Path]::GetFullPath([IO.Path]::Combine($Folder, $Path))
    } catch { '' }
}
