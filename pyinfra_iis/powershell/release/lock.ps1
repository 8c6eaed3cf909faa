# One deploy of an application at a time. The lock is a note of who deploys from which process; it ends with that process, so a dead deploy holds nothing.
function Enter-Deploy([string] $Root, [string] $By) {
    [void] [IO.Directory]::CreateDirectory($Root)
    $Path = [IO.Path]::Combine($Root, 'deploy.lock')
    $Self = [Diagnostics.Process]::GetCurrentProcess()
    $Started = $Self.StartTime.ToUniversalTime().ToString('o')
    for ($Attempt = 1; ; $Attempt++) {
        try {
            $File = New-Object IO.FileStream $Path, ([IO.FileMode]::OpenOrCreate), ([IO.FileAccess]::ReadWrite), ([IO.FileShare]::None)
            break
        } catch [IO.IOException] {
            if ($Attempt -ge 20) { throw }
            Start-Sleep -Milliseconds 100
        }
    }
    try {
        $Reader = New-Object IO.StreamReader $File
        $Text = $Reader.ReadToEnd()
        if ($Text) {
            $Holder = ConvertFrom-Json $Text
            if ($Holder.process -eq $Self.Id -and $Holder.started -eq $Started) { return }
            $Other = $null
            try { $Other = [Diagnostics.Process]::GetProcessById($Holder.process) } catch [ArgumentException] { }
            if ($null -ne $Other -and $Other.StartTime.ToUniversalTime().ToString('o') -eq $Holder.started) {
                throw "$($Holder.by) has been deploying to $Root on $($env:COMPUTERNAME) since $($Holder.since); wait until that deploy has ended."
            }
        }
        $Note = ConvertTo-Json -Compress @{ by = $By; since = [DateTime]::UtcNow.ToString('s') + 'Z'; process = $Self.Id; started = $Started }
        $Bytes = [Text.Encoding]::UTF8.GetBytes($Note)
        $File.SetLength(0)
        $File.Write($Bytes, 0, $Bytes.Length)
    } finally {
        $File.Dispose()
    }
}
