# Whether files are there, and with the content that is wanted. $Request: files (list of path and sha256).
$Exists = @{}
$Present = @{}
foreach ($File in $Request.files) {
    $Exists[$File.path] = [IO.File]::Exists($File.path)
    $Present[$File.path] = $Exists[$File.path] -and ((Get-FileHash -LiteralPath $File.path -Algorithm SHA256).Hash -eq $File.sha256)
}
@{ exists = $Exists; present = $Present }
