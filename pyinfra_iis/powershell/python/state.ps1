# Whether a folder holds the Python that is wanted. $Request: path, sha256 (of the distribution it was made from).
# uses: windows/run_program
$Note = [IO.Path]::Combine($Request.path, 'pyinfra-iis.json')
$State = @{ present = $false; executable = [IO.File]::Exists([IO.Path]::Combine($Request.path, 'python.exe')); exists = [IO.Directory]::Exists($Request.path); version = ''; kind = ''; found = ''; problem = '' }
# There may be no note, and a power cut may have left half of one.
try { $Made = ConvertFrom-Json ([IO.File]::ReadAllText($Note)) } catch { $Made = $null }
if ($null -ne $Made) {
    $State.version = [string] $Made.version
    $State.kind = [string] $Made.kind
    $State.present = $State.executable -and $Made.sha256 -eq $Request.sha256
} elseif ($State.executable) {
    # Somebody else's: it says itself what it is. -B: nothing is written there.
    try {
        $Run = Invoke-Program ([IO.Path]::Combine($Request.path, 'python.exe')) '-I -B -c "import platform, venv, ensurepip; print(platform.python_version())"' $Request.path @{} ''
        if ($Run.exit_code -eq 0) { $State.found = $Run.output.Trim() } else { $State.problem = ($Run.errors.Trim() -split '\r?\n')[-1] }
    } catch {
        $State.problem = $_.Exception.GetBaseException().Message
    }
}
$State
