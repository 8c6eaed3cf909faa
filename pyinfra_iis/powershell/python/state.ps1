# Whether a folder holds the Python that is wanted. $Request: path, sha256 (of the distribution it was made from).
$Note = [IO.Path]::Combine($Request.path, 'pyinfra-iis.json')
$State = @{ present = $false; executable = [IO.File]::Exists([IO.Path]::Combine($Request.path, 'python.exe')); exists = [IO.Directory]::Exists($Request.path); version = ''; kind = '' }
if ([IO.File]::Exists($Note)) {
    $Made = ConvertFrom-Json ([IO.File]::ReadAllText($Note))
    $State.version = [string] $Made.version
    $State.kind = [string] $Made.kind
    $State.present = $State.executable -and $Made.sha256 -eq $Request.sha256
}
$State
