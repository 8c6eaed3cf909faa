# Whether a freshly installed HttpPlatformHandler is whole. $Request: version (1.2 or 2.0).
# uses: httpplatform/parts
$Missing = @(Get-MissingPart)
if ($Missing.Length) {
    throw "HttpPlatformHandler $($Request.version) was installed on $($env:COMPUTERNAME), but not completely: $($Missing -join ', ') missing. Remove every version under Apps & features, then deploy again."
}
$null
