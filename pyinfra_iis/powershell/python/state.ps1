# Whether a folder holds the Python that is wanted. $Request: path, sha256 (of the distribution it was made from).
$Note = [IO.Path]::Combine($Request.path, 'pyinfra-iis.json')
$Present = $false
$Executable = [IO.File]::Exists([IO.Path]::Combine($Request.path, 'python.exe'))
if ($Executable -and [IO.File]::Exists($Note)) {
    $Present = (ConvertFrom-Json ([IO.File]::ReadAllText($Note))).sha256 -eq $Request.sha256
}
@{ present = $Present; executable = $Executable }
