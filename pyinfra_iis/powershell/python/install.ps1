# Installs a Python distribution. $Request: archive, kind (zip; nuget, where Python stands in tools; installer), path (the folder), version, sha256.
# uses: windows/run_installer
Add-Type -AssemblyName System.IO.Compression.FileSystem
function Move-Folder([string] $From, [string] $To) {
    for ($Try = 1; ; $Try++) {
        # A virus scanner may hold for a moment what has just been written or run.
        try { [IO.Directory]::Move($From, $To); return } catch [IO.IOException] { if ($Try -ge 20) { throw } }
        Start-Sleep -Milliseconds 250
    }
}
function Remove-Leftover([string] $Folder) {
    # What still runs from it, or is being scanned, is left to the next installation.
    try { if ([IO.Directory]::Exists($Folder)) { [IO.Directory]::Delete($Folder, $true) } } catch { }
}
# Runs on one server share a Python, and one whose client is gone may still be at it.
$Turn = New-Object Threading.Mutex $false, 'Global\pyinfra-iis-python'
try { $IsOurs = $Turn.WaitOne(600000) } catch [Threading.AbandonedMutexException] { $IsOurs = $true }
if (-not $IsOurs) { throw "Another run has been installing Python on $($env:COMPUTERNAME) for ten minutes; look there for a powershell.exe that hangs, and end it." }
try {
    try { $There = ConvertFrom-Json ([IO.File]::ReadAllText([IO.Path]::Combine($Request.path, 'pyinfra-iis.json'))) } catch { $There = $null }
    if ($There.sha256 -eq $Request.sha256 -and [IO.File]::Exists([IO.Path]::Combine($Request.path, 'python.exe'))) { return @{ version = $There.version } }
    $Partial = $Request.path + '.partial'
    if ([IO.Directory]::Exists($Partial)) { [IO.Directory]::Delete($Partial, $true) }
    [void] [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($Partial))
    try {
        $Source = $Partial
        if ($Request.kind -eq 'nuget') { $Source = [IO.Path]::Combine($Partial, 'tools') }
        if ($Request.kind -eq 'installer') {
            # What it installs cannot be moved: it goes to its place at once, and counts only when the note is there.
            $Source = $Request.path
            $Options = '/quiet /norestart InstallAllUsers=1 TargetDir="{0}" PrependPath=0 Include_launcher=0 Include_test=0 Include_doc=0 Include_tcltk=0 Shortcuts=0 AssociateFiles=0' -f $Request.path
            $Run = Invoke-Installer $Request.archive $Options
            if ($Run.exit_code -notin 0, 3010) { throw "Python's installer $($Request.archive) ended with $($Run.exit_code) on $($env:COMPUTERNAME)." }
        } else {
            [IO.Compression.ZipFile]::ExtractToDirectory($Request.archive, $Partial)
        }
        $Python = [IO.Path]::Combine($Source, 'python.exe')
        if (-not [IO.File]::Exists($Python) -and $Request.kind -eq 'installer') {
            throw "Python's installer $($Request.archive) put nothing into $($Request.path) on $($env:COMPUTERNAME): Python $($Request.version) may be installed there already, elsewhere. Take that folder with the kind 'existing', or the kind 'zip' or 'nuget'."
        }
        if (-not [IO.File]::Exists($Python)) { throw "$($Request.archive) holds no python.exe where a $($Request.kind) of Python has it." }
        $Run = Invoke-Program $Python '-c "import platform, venv, ensurepip; print(platform.python_version())"' $Source @{} ''
        $Version = $Run.output.Trim()
        if ($Run.exit_code -ne 0) { throw "The Python of $($Request.archive) does not run on $($env:COMPUTERNAME): $($Run.errors.Trim())" }
        if ($Version -ne $Request.version) { throw "$($Request.archive) holds Python $Version, but $($Request.version) was expected." }
        [IO.File]::WriteAllText([IO.Path]::Combine($Source, 'pyinfra-iis.json'), (ConvertTo-Json @{ version = $Version; sha256 = $Request.sha256; kind = $Request.kind }))
        if ($Request.kind -ne 'installer') {
            # What stood there goes aside as a whole, or not at all when it is in use.
            $Old = $Request.path + '.old'
            Remove-Leftover $Old
            if ([IO.Directory]::Exists($Old)) { throw "Something on $($env:COMPUTERNAME) still runs from $Old, the Python that was replaced last; restart it and run this again." }
            if ([IO.Directory]::Exists($Request.path)) { Move-Folder $Request.path $Old }
            Move-Folder $Source $Request.path
            Remove-Leftover $Old
            Remove-Leftover $Partial
        }
    } catch {
        if ($Old -and -not [IO.Directory]::Exists($Request.path) -and [IO.Directory]::Exists($Old)) { Move-Folder $Old $Request.path }
        Remove-Leftover $Partial
        throw
    }
    @{ version = $Version }
} finally {
    $Turn.ReleaseMutex()
    $Turn.Dispose()
}
