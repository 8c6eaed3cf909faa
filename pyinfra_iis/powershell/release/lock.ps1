# One deploy of an application at a time. The lock is a note of who deploys from which process; it ends with that process, so a dead deploy
# holds nothing. A PowerShell process whose client was killed lives on for a while; the client's machine knows that, and then its processes here are ended. $By: user, run, ended (runs).
function Enter-Deploy([string] $Root, $By) {
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
        $Holder = $null
        # Nobody may have been here, and a power cut may have left half a note.
        try { $Holder = ConvertFrom-Json (New-Object IO.StreamReader $File).ReadToEnd() } catch { }
        if ($null -ne $Holder.process) {
            if ($Holder.process -eq $Self.Id -and $Holder.started -eq $Started) { return }
            $Other = $null
            try { $Other = [Diagnostics.Process]::GetProcessById($Holder.process) } catch [ArgumentException] { }
            # Of some of Windows' own processes nobody learns when they started.
            if ($null -ne $Other -and $Other.ProcessName -eq $Self.ProcessName -and $Other.StartTime.ToUniversalTime().ToString('o') -eq $Holder.started) {
                if ($By.ended -notcontains $Holder.run) {
                    throw "$($Holder.by) has been deploying to $Root on $($env:COMPUTERNAME) since $($Holder.since); wait until that deploy has ended, or end process $($Holder.process) there if it hangs."
                }
                # By cmd, because taskkill's standard input must not be ours, where requests come from.
                $System = [Environment]::SystemDirectory
                $Said = & $System\cmd.exe /d /c "$System\taskkill.exe /F /T /PID $($Holder.process) 2>&1 <nul"
                if ($LASTEXITCODE -ne 0 -and -not $Other.HasExited) { throw "Process $($Holder.process) on $($env:COMPUTERNAME), left by a deploy that was broken off, does not end: $Said" }
                [void] $Other.WaitForExit(10000)
            }
        }
        $Note = ConvertTo-Json -Compress @{ by = $By.user; run = $By.run; since = [DateTime]::UtcNow.ToString('s') + 'Z'; process = $Self.Id; started = $Started }
        $Bytes = [Text.Encoding]::UTF8.GetBytes($Note)
        $File.SetLength(0)
        $File.Write($Bytes, 0, $Bytes.Length)
    } finally {
        $File.Dispose()
    }
}
