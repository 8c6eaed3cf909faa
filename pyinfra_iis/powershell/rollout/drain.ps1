# Lets the application's health path answer 503, so that a load balancer sends visitors elsewhere; or ends that. The file says until when (seconds
# since 1970), so a drain that nobody ends, ends by itself. $Request: root, seconds (0: end it).
$Path = [IO.Path]::Combine($Request.root, 'shared', 'draining')
if ($Request.seconds) {
    $Until = [Math]::Ceiling(([DateTime]::UtcNow - (New-Object DateTime 1970, 1, 1)).TotalSeconds + $Request.seconds)
    [void] [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($Path))
    [IO.File]::WriteAllText($Path, $Until.ToString([Globalization.CultureInfo]::InvariantCulture), [Text.Encoding]::ASCII)
} else {
    # The application may be reading it at this moment.
    for ($Attempt = 1; [IO.File]::Exists($Path); $Attempt++) {
        try { [IO.File]::Delete($Path) } catch [IO.IOException] { if ($Attempt -ge 40) { throw } else { Start-Sleep -Milliseconds 50 } }
    }
}
