# Removes folders with everything below them. $Request: paths.
foreach ($Path in $Request.paths) {
    # Under another name first: that succeeds only when nothing below is in use, so a folder in use stays whole.
    $Doomed = $Path.TrimEnd('\', '/') + '.removed'
    if ([IO.Directory]::Exists($Doomed)) { [IO.Directory]::Delete($Doomed, $true) }
    if (-not [IO.Directory]::Exists($Path)) { continue }
    try {
        [IO.Directory]::Move($Path, $Doomed)
    } catch [IO.IOException] {
        throw "$Path on $($env:COMPUTERNAME) was not removed, because something in it is in use: $($_.Exception.Message)"
    }
    Get-ChildItem -LiteralPath $Doomed -Recurse -Force -File | Where-Object { $_.IsReadOnly } | ForEach-Object { $_.IsReadOnly = $false }
    [IO.Directory]::Delete($Doomed, $true)
}
$null
