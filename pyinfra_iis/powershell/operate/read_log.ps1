# Reads a log file from a position up to its end, while it is being written and may be renamed or removed.
# Options: Lines (the last so many; 0: all), Bytes (at most), Whole (leave the last line for the next time until it has ended), Pattern (of a W3C log: only requests with a status that begins so, * for all; its #Fields lines stay).
$HeadLength = 256
function Open-Log([string] $Path) {
    New-Object IO.FileStream $Path, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), ([IO.FileShare] 'ReadWrite, Delete')
}
function Read-Bytes($Stream, [long] $From, [int] $Count) {
    $Bytes = New-Object byte[] $Count
    [void] $Stream.Seek($From, [IO.SeekOrigin]::Begin)
    $Have = 0
    while ($Have -lt $Count) {
        $Got = $Stream.Read($Bytes, $Have, $Count - $Have)
        if ($Got -le 0) { break }
        $Have += $Got
    }
    if ($Have -lt $Count) { [Array]::Resize([ref] $Bytes, $Have) }
    , $Bytes
}
# A file is known again by its first bytes: its name changes when logs are rotated, and Windows gives a new file of an old name the old one's time of creation.
function Test-Head([string] $Path, $Known) {
    try {
        $Stream = Open-Log $Path
        try {
            if ($Stream.Length -lt $Known.at) { return $false }
            $Head = [Convert]::FromBase64String($Known.head)
            [Convert]::ToBase64String((Read-Bytes $Stream 0 $Head.Length)) -eq $Known.head
        } finally { $Stream.Dispose() }
    } catch { $false }
}
function Read-Log([string] $Source, [string] $Path, $Options, [long] $From, [string] $Fields) {
    $Stream = Open-Log $Path
    try {
        $Length = $Stream.Length
        $Start = [Math]::Max($From, $Length - $Options.Bytes)
        $Bytes = Read-Bytes $Stream $Start ([int] ($Length - $Start))
        $Head = Read-Bytes $Stream 0 ([int] [Math]::Min($Length, $HeadLength))
        # Where nothing is known of the lines before, the file's beginning names the fields.
        if ($Options.Pattern -and $Start -gt 0 -and -not $Fields) {
            $Text = [Text.Encoding]::UTF8.GetString((Read-Bytes $Stream 0 ([int] [Math]::Min($Length, 4096))))
            $Match = [regex]::Match($Text, '(?m)^#Fields:[^\r\n]*')
            if ($Match.Success) { $Fields = $Match.Value }
        }
    } finally { $Stream.Dispose() }
    $Begin = 0
    $End = $Bytes.Length
    # A line that was cut in its middle is none.
    if ($Start -gt $From) { $Begin = [Array]::IndexOf($Bytes, [byte] 10) + 1 }
    if ($Options.Whole) { $End = [Math]::Max($Begin, [Array]::LastIndexOf($Bytes, [byte] 10) + 1) }
    $Text = [Text.Encoding]::UTF8.GetString($Bytes, $Begin, $End - $Begin)
    $Cut = $Start -gt $From
    if ($Options.Pattern) {
        # The status has its place among the fields; they may change within a file.
        $Kept = New-Object System.Collections.ArrayList
        if ($Fields) { [void] $Kept.Add($Fields) }
        $Pattern = Get-Pattern $Fields $Options.Pattern
        foreach ($Part in ($Text -split '(?m)(?=^#Fields:)')) {
            if ($Part.StartsWith('#Fields:')) {
                $Fields = $Part.Split("`n")[0].TrimEnd("`r")
                [void] $Kept.Add($Fields)
                $Pattern = Get-Pattern $Fields $Options.Pattern
            }
            if ($Pattern) { foreach ($Match in [regex]::Matches($Part, $Pattern)) { [void] $Kept.Add($Match.Value) } }
        }
        if (@($Kept | Where-Object { -not $_.StartsWith('#Fields:') }).Count -eq 0) { $Kept.Clear() }
        if ($Options.Lines -and $Kept.Count -gt $Options.Lines + 1) {
            $Cut = $true
            $First = $Kept.Count - $Options.Lines
            $Heading = @($Kept.GetRange(0, $First) | Where-Object { $_.StartsWith('#Fields:') }) | Select-Object -Last 1
            $Text = (@($Heading) + @($Kept.GetRange($First, $Options.Lines))) -join "`n"
        } else { $Text = $Kept -join "`n" }
    } elseif ($Options.Lines) {
        $At = $Text.Length
        if ($Text.EndsWith("`n")) { $At -= 1 }
        for ($Count = 0; $Count -lt $Options.Lines -and $At -gt 0; $Count++) { $At = $Text.LastIndexOf("`n", $At - 1); if ($At -lt 0) { break } }
        if ($At -gt 0) { $Text = $Text.Substring($At + 1); $Cut = $true }
    }
    $Item = New-Object IO.FileInfo $Path
    @{
        file = @{
            source = $Source; path = $Path; text = $Text; cut = $Cut; created = $Item.CreationTimeUtc.ToString('o')
            zone = [int] [TimeZoneInfo]::Local.GetUtcOffset($Item.LastWriteTime).TotalMinutes
        }
        known = @{ source = $Source; path = $Path; at = $Start + $End; fields = $Fields; head = [Convert]::ToBase64String($Head, 0, [int] [Math]::Min($Head.Length, $Start + $End)) }
    }
}
function Get-Pattern([string] $Fields, [string] $Status) {
    if ($Status -eq '*') { return '(?m)^(?!#)\S[^\r\n]*' }
    $Names = @($Fields.Split(' ') | Select-Object -Skip 1)
    $Index = [Array]::IndexOf([string[]] $Names, 'sc-status')
    if ($Index -lt 0) { return '' }
    '(?m)^(?!#)(?:\S+ ){' + $Index + '}' + $Status + '\d\d(?=\s|$)[^\r\n]*'
}
