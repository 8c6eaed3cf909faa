# The texts of small files; null for a file that is not there, too large or no text. $Request: files (paths), limit (bytes).
$Texts = @{}
$Strict = New-Object Text.UTF8Encoding $false, $true
foreach ($Path in $Request.files) {
    $Texts[$Path] = $null
    if (-not [IO.File]::Exists($Path) -or (New-Object IO.FileInfo $Path).Length -gt $Request.limit) { continue }
    try { $Texts[$Path] = $Strict.GetString([IO.File]::ReadAllBytes($Path)) } catch [ArgumentException] { continue }
}
@{ texts = $Texts }
