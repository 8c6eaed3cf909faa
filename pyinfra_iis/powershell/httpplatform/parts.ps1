function Get-MissingPart {
    $Folder = [IO.Path]::Combine([Environment]::SystemDirectory, 'inetsrv\config')
    $Configuration = [IO.Path]::Combine($Folder, 'applicationHost.config')
    if (-not [IO.File]::Exists($Configuration)) { return 'IIS' }
    $Text = [IO.File]::ReadAllText($Configuration)
    $Module = [regex]::Match([regex]::Match($Text, '(?s)<globalModules>.*?</globalModules>').Value, '<add\b[^>]*\bname="httpPlatformHandler"[^>]*>').Value
    if (-not $Module) {
        'global module'
    } else {
        $Library = [regex]::Match($Module, '\bimage="([^"]*)"').Groups[1].Value
        if (-not [IO.File]::Exists([Environment]::ExpandEnvironmentVariables($Library))) { 'module file' }
    }
    if ($Text -notmatch '<section\b[^>]*\bname="httpPlatform"') { 'configuration section' }
    if (-not [IO.File]::Exists([IO.Path]::Combine($Folder, 'schema\httpplatform_schema.xml'))) { 'schema' }
}
