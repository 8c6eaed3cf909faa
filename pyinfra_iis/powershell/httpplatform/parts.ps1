function Get-MissingPart([string] $Version) {
    $Folder = [IO.Path]::Combine([Environment]::SystemDirectory, 'inetsrv')
    $Configuration = [IO.Path]::Combine($Folder, 'config\applicationHost.config')
    if (-not [IO.File]::Exists($Configuration)) { return 'IIS' }
    $Text = [IO.File]::ReadAllText($Configuration)
    $Library = [IO.Path]::Combine($Folder, 'httpPlatformHandler.dll')
    if ($Version -ne '1.2') { $Library = [IO.Path]::Combine([Environment]::GetFolderPath('ProgramFiles'), 'IIS\HttpPlatformHandler Module\V2\httpplatformhandlerv2.dll') }
    if (-not [IO.File]::Exists($Library)) { 'module file' }
    if ($Text -notmatch '<section\s+name="httpPlatform"') { 'configuration section' }
    if ($Text -notmatch '(?s)<globalModules>.*<add\s+name="httpPlatformHandler".*</globalModules>') { 'global module' }
    $Schema = [IO.Path]::Combine($Folder, 'config\schema\httpplatform_schema.xml')
    if (-not [IO.File]::Exists($Schema)) { return 'schema' }
    # Only 1.2 knows how often a process is started again.
    if (([IO.File]::ReadAllText($Schema) -match 'startupRetryCount') -ne ($Version -eq '1.2')) { 'schema of this version' }
}
