# Adds a line to a list and has it on the disk. A power cut may have left half a line at the end: that stays alone.
function Add-Line([string] $Path, [string] $Line) {
    $File = New-Object IO.FileStream $Path, ([IO.FileMode]::OpenOrCreate), ([IO.FileAccess]::ReadWrite), ([IO.FileShare]::Read)
    try {
        $Text = $Line + "`r`n"
        if ($File.Length -gt 0) {
            [void] $File.Seek(-1, [IO.SeekOrigin]::End)
            if ($File.ReadByte() -ne 10) { $Text = "`r`n" + $Text }
        }
        $Bytes = [Text.Encoding]::ASCII.GetBytes($Text)
        $File.Write($Bytes, 0, $Bytes.Length)
        $File.Flush($true)
    } finally {
        $File.Dispose()
    }
}
