# What is configured for a site's requests, and what cannot be read and why. $Request: site, application, folder (empty: what the site has now).
# uses: diagnose/target
if (-not [IO.File]::Exists($Library)) { return $null }
$Manager = New-ServerManager
$Target = Find-Target $Manager $Request
if ($null -eq $Target.application) { return $null }
$Answer = @{ errors = @(); handlers = @(); modules = @(); images = @(); locked = @(); unknown = @(); schemas = @(); limits = @{}; switches = @{}; web_config = @{} }
$Names = @('handlers', 'httpPlatform', 'modules', 'httpErrors', 'security/requestFiltering', 'security/access', 'security/authentication/anonymousAuthentication', 'webSocket')

# What stands in web.config.
$Written = @()
$Path = [IO.Path]::Combine($Target.folder, 'web.config')
$Answer.web_config = @{ path = $Path; exists = [IO.File]::Exists($Path); problem = ''; line = 0; platform = [object[]] @(); handlers = [object[]] @() }
if ($Answer.web_config.exists) {
    $Document = New-Object Xml.XmlDocument
    try {
        $Document.Load($Path)
        $Group = $Document.SelectSingleNode('/configuration/system.webServer')
        if ($null -ne $Group) { $Written = @(foreach ($Child in $Group.ChildNodes) { if ($Child.NodeType -eq 'Element' -and $Child.Name -ne 'security') { [string] $Child.Name } }) }
        $Element = $Document.SelectSingleNode('//system.webServer/httpPlatform')
        if ($null -ne $Element) { $Answer.web_config.platform = [object[]] @(foreach ($Attribute in $Element.Attributes) { $Attribute.Name }; foreach ($Child in $Element.ChildNodes) { if ($Child.NodeType -eq 'Element') { $Child.Name } }) }
        $Answer.web_config.handlers = [object[]] @(foreach ($Item in $Document.SelectNodes('//system.webServer/handlers/add')) { @{ name = $Item.GetAttribute('name'); modules = $Item.GetAttribute('modules'); processor = $Item.GetAttribute('scriptProcessor').Length -gt 0 } })
    } catch {
        $Cause = $_.Exception.GetBaseException()
        if ($Cause -is [Xml.XmlException]) { $Answer.web_config.problem = $Cause.Message; $Answer.web_config.line = [int] $Cause.LineNumber } else { $Answer.web_config.unread = $Cause.Message }
    }
}

# What IIS makes of it.
$Server = $Manager.GetApplicationHostConfiguration()
$Declared = @{}
foreach ($Group in $Server.RootSectionGroup.SectionGroups) {
    if ($Group.Name -ne 'system.webServer') { continue }
    foreach ($One in $Group.Sections) { $Declared[[string] $One.Name] = $true }
    foreach ($One in $Group.SectionGroups) { $Declared[[string] $One.Name] = $true }
}
$Answer.unknown = @($Written | Where-Object { -not $Declared.ContainsKey($_) })
$Names = @($Names | Where-Object { $_.IndexOf('/') -ge 0 -or $Declared.ContainsKey($_) }) + @($Written | Where-Object { $Names -notcontains $_ })
$Web = $null
if (-not $Target.replaced) {
    try { $Web = $Manager.GetWebConfiguration($Request.site, $Request.application) } catch { $Answer.errors += @{ section = ''; fault = (Get-Fault $_) } }
}
if ($null -ne $Web) {
    $Sections = @{}
    foreach ($Name in $Names) {
        try {
            $Section = $Web.GetSection("system.webServer/$Name")
            $Sections[$Name] = $Section
            foreach ($Attribute in $Section.Attributes) { [void] $Attribute.Value }
            if ($Section.Schema.CollectionSchema) { [void] $Section.GetCollection().Count }
            if ([string] $Section.OverrideModeEffective -ne 'Allow') { $Answer.locked += $Name }
        } catch {
            $Sections[$Name] = $null
            $Answer.errors += @{ section = $Name; fault = (Get-Fault $_) }
        }
    }
    if ($null -ne $Sections['handlers']) {
        foreach ($Item in $Sections['handlers'].GetCollection()) {
            $Answer.handlers += @{ name = [string] $Item.GetAttributeValue('name'); path = [string] $Item.GetAttributeValue('path'); verb = [string] $Item.GetAttributeValue('verb'); modules = [string] $Item.GetAttributeValue('modules'); condition = [string] $Item.GetAttributeValue('preCondition') }
        }
        $Answer.switches.access = Format-Attribute $Sections['handlers'].GetAttribute('accessPolicy')
    }
    if ($null -ne $Sections['modules']) { $Answer.modules = @(foreach ($Item in $Sections['modules'].GetCollection()) { [string] $Item.GetAttributeValue('name') }) }
    if ($null -ne $Sections['security/requestFiltering']) {
        $Limits = $Sections['security/requestFiltering'].GetChildElement('requestLimits')
        foreach ($Name in 'maxAllowedContentLength', 'maxUrl', 'maxQueryString') { $Answer.limits[$Name] = [long] $Limits.GetAttributeValue($Name) }
    }
    if ($null -ne $Sections['security/access']) { $Answer.switches.tls = Format-Attribute $Sections['security/access'].GetAttribute('sslFlags') }
    if ($null -ne $Sections['security/authentication/anonymousAuthentication']) { $Answer.switches.anonymous = [bool] $Sections['security/authentication/anonymousAuthentication'].GetAttributeValue('enabled') }
    if ($null -ne $Sections['httpErrors']) { $Answer.switches.errors = Format-Attribute $Sections['httpErrors'].GetAttribute('errorMode') }
    if ($null -ne $Sections['webSocket']) { $Answer.switches.websocket = [bool] $Sections['webSocket'].GetAttributeValue('enabled') }
}
foreach ($Item in $Server.GetSection('system.webServer/globalModules').GetCollection()) {
    $Image = [Environment]::ExpandEnvironmentVariables([string] $Item.GetAttributeValue('image'))
    if ($Item.GetAttributeValue('name') -ne 'httpPlatformHandler') { continue }
    $One = @{ name = [string] $Item.GetAttributeValue('name'); image = $Image; exists = [IO.File]::Exists($Image); version = ''; condition = [string] $Item.GetAttributeValue('preCondition') }
    if ($One.exists) { $One.version = [string] [Diagnostics.FileVersionInfo]::GetVersionInfo($Image).FileVersion }
    $Answer.images += $One
}
$Answer.platform = Get-Platform $Manager $Target $Request
$Manager.Dispose()

# The attributes that the installed handler knows.
$Folder = [IO.Path]::Combine([Environment]::SystemDirectory, 'inetsrv\config\schema')
if ([IO.Directory]::Exists($Folder)) {
    foreach ($File in [IO.Directory]::GetFiles($Folder, '*.xml')) {
        if ([IO.Path]::GetFileName($File) -eq 'IIS_schema.xml' -or -not [IO.File]::ReadAllText($File).Contains('system.webServer/httpPlatform')) { continue }
        $Document = New-Object Xml.XmlDocument
        try {
            $Document.Load($File)
            $Known = @(foreach ($Item in $Document.SelectNodes('//sectionSchema[@name="system.webServer/httpPlatform"]/*')) { $Item.GetAttribute('name') })
            $Answer.schemas += @{ file = $File; names = [object[]] $Known }
        } catch { $Answer.schemas += @{ file = $File; names = [object[]] @(); problem = $_.Exception.GetBaseException().Message } }
    }
}
foreach ($Name in 'errors', 'handlers', 'modules', 'images', 'locked', 'unknown', 'schemas') { $Answer[$Name] = [object[]] $Answer[$Name] }
$Answer
