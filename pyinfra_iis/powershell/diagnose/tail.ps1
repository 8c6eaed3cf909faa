# A log file that its writer has open may be read all the same.
function Read-Part([string] $Path, [long] $From, [int] $Most) {
    $File = New-Object IO.FileStream $Path, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), ([IO.FileShare] 'ReadWrite, Delete')
    try {
        $Start = [Math]::Max($From, $File.Length - $Most)
        [void] $File.Seek($Start, [IO.SeekOrigin]::Begin)
        $Bytes = New-Object byte[] ([int] ($File.Length - $Start))
        $Count = $File.Read($Bytes, 0, $Bytes.Length)
        [Text.Encoding]::UTF8.GetString($Bytes, 0, $Count)
    } finally { $File.Dispose() }
}
function Get-LogFiles([string] $Base) {
    if (-not $Base) { return }
    $Folder = [IO.Path]::GetDirectoryName($Base)
    if (-not $Folder -or -not [IO.Directory]::Exists($Folder)) { return }
    # The newest process's first. Each is asked by its name: a folder's list has old sizes of files that are still open, and Windows notes when one was written as late.
    [IO.Directory]::GetFiles($Folder, [IO.Path]::GetFileName($Base) + '*') | ForEach-Object { New-Object IO.FileInfo $_ } | Sort-Object -Property CreationTimeUtc -Descending | Select-Object -First 5
}
function Get-Positions([string] $Base) {
    $Positions = @{}
    foreach ($File in (Get-LogFiles $Base)) { $Positions[$File.FullName] = [long] $File.Length }
    $Positions
}
function Get-Fresh([string] $Base, $Before) {
    $Text = ''
    foreach ($File in (Get-LogFiles $Base)) {
        $From = 0
        if ($Before.ContainsKey($File.FullName)) { $From = $Before[$File.FullName] }
        try { if ($File.Length -gt $From -or $From -eq 0) { $Text += Read-Part $File.FullName $From 16000 } } catch { }
    }
    $Text
}
