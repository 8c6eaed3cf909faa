# Whether files are there with the content that is wanted. $Request: files (list of path and sha256).
$Present = @{}
foreach ($File in $Request.files) {
    $Present[$File.path] = (Test-Path -LiteralPath $File.path -PathType Leaf) -and
        ((Get-FileHash -LiteralPath $File.path -Algorithm SHA256).Hash -eq $File.sha256)
}
@{ present = $Present }
