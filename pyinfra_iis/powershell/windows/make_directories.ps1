# Makes folders with those above them. $Request: folders (list of path).
foreach ($Folder in $Request.folders) { [void] [IO.Directory]::CreateDirectory($Folder.path) }
$null
