# Which files a folder holds, with their SHA-256. $Request: path.
$Found = @{}
if ([IO.Directory]::Exists($Request.path)) {
    foreach ($Path in [IO.Directory]::GetFiles($Request.path, '*.whl')) {
        $Found[[IO.Path]::GetFileName($Path)] = (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
    }
}
@{ wheels = $Found }
