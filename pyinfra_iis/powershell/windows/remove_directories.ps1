# Removes folders with everything below them. $Request: paths.
foreach ($Path in $Request.paths) {
    # Under another name first: that succeeds only when nothing below is open, so a folder in use stays whole.
    $Doomed = $Path.TrimEnd('\', '/') + '.removed'
    if ([IO.Directory]::Exists($Doomed)) { [IO.Directory]::Delete($Doomed, $true) }
    if (-not [IO.Directory]::Exists($Path)) { continue }
    try {
        [IO.Directory]::Move($Path, $Doomed)
        $Files = @(Get-ChildItem -LiteralPath $Doomed -Recurse -Force -File)
        foreach ($File in $Files) { if ($File.IsReadOnly) { $File.IsReadOnly = $false } }
        # What runs, or is loaded, is not open: it can be renamed, but neither written nor removed.
        foreach ($File in $Files) { if ($File.Extension -in '.exe', '.dll', '.pyd') { $File.Open('Open', 'ReadWrite').Dispose() } }
    } catch [IO.IOException] {
        if (-not [IO.Directory]::Exists($Path)) { [IO.Directory]::Move($Doomed, $Path) }
        throw "$Path on $($env:COMPUTERNAME) was not removed, because something in it is in use: $($_.Exception.Message)"
    }
    for ($Try = 1; [IO.Directory]::Exists($Doomed); $Try++) {
        # A virus scanner may hold for a moment what has got another name.
        try { [IO.Directory]::Delete($Doomed, $true) } catch [IO.IOException] { if ($Try -ge 20) { throw }; Start-Sleep -Milliseconds 250 }
    }
}
$null
