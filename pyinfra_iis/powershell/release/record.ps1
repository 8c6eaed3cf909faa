# What a release on this server consists of. $Request: root, id. The record's text comes compressed.
$Path = [IO.Path]::Combine($Request.root, 'releases', $Request.id + '.json')
if (-not [IO.File]::Exists($Path)) { return @{ record = '' } }
$Memory = New-Object IO.MemoryStream
$Zip = New-Object IO.Compression.GZipStream $Memory, ([IO.Compression.CompressionMode]::Compress)
$Bytes = [IO.File]::ReadAllBytes($Path)
$Zip.Write($Bytes, 0, $Bytes.Length)
$Zip.Close()
@{ record = [Convert]::ToBase64String($Memory.ToArray()) }
