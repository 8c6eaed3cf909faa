# Removes files. $Request: paths.
foreach ($Path in $Request.paths) {
    if ([IO.File]::Exists($Path)) { [IO.File]::Delete($Path) }
}
$null
