# Removes an application's folders and files, when its processes have ended. $Request: root, folders, files, timeout (seconds for the processes).
$Root = $Request.root.TrimEnd('\') + '\'
$Deadline = [DateTime]::UtcNow.AddSeconds($Request.timeout)
while ($true) {
    $Left = @(Get-CimInstance -ClassName Win32_Process | Where-Object { $_.ExecutablePath -and ([string] $_.ExecutablePath).StartsWith($Root, [StringComparison]::OrdinalIgnoreCase) })
    if ($Left.Count -eq 0) { break }
    if ([DateTime]::UtcNow -gt $Deadline) { throw "Process $($Left[0].ProcessId) on $($env:COMPUTERNAME) still runs $($Left[0].ExecutablePath), so its folder is not removed; end it and run this again." }
    Start-Sleep -Milliseconds 250
}
function Remove-Folder([string] $Path) {
    if (-not [IO.Directory]::Exists($Path)) { return }
    Get-ChildItem -LiteralPath $Path -Recurse -Force -File | Where-Object { $_.IsReadOnly } | ForEach-Object { $_.IsReadOnly = $false }
    [IO.Directory]::Delete($Path, $true)
}
foreach ($Folder in $Request.folders) {
    # Under another name first: a folder in use stays whole.
    $Doomed = $Folder + '.removed'
    for ($Attempt = 1; ; $Attempt++) {
        try {
            Remove-Folder $Doomed
            if ([IO.Directory]::Exists($Folder)) { [IO.Directory]::Move($Folder, $Doomed) }
            Remove-Folder $Doomed
            break
        } catch {
            if ($Attempt -ge 20) { throw "$Folder on $($env:COMPUTERNAME) is not removed, because something in it is in use: $($_.Exception.GetBaseException().Message)" }
            Start-Sleep -Milliseconds 250
        }
    }
}
foreach ($File in $Request.files) { [IO.File]::Delete($File) }
if ([IO.Directory]::Exists($Request.root)) {
    $Lock = [IO.Path]::Combine($Request.root, 'deploy.lock')
    if ([IO.File]::Exists($Lock)) { [IO.File]::Delete($Lock) }
    if (@([IO.Directory]::GetFileSystemEntries($Request.root)).Count -eq 0) { [IO.Directory]::Delete($Request.root) }
}
$null
