# One commit to IIS's configuration: nobody else of ours commits meanwhile, and when somebody else has written the file since it was read, it is read again.
# uses: iis/server_manager
function Invoke-Commit([scriptblock] $Edit) {
    $Mutex = New-Object Threading.Mutex $false, 'Global\pyinfra-iis-configuration'
    try { if (-not $Mutex.WaitOne(60000)) { throw "Another change of IIS's configuration has been running on $($env:COMPUTERNAME) for a minute." } }
    catch [Threading.AbandonedMutexException] { }
    try {
        for ($Attempt = 1; ; $Attempt++) {
            $Manager = New-ServerManager
            try {
                & $Edit $Manager
                $Manager.CommitChanges()
                return
            } catch {
                $Cause = $_.Exception.GetBaseException()
                if ($Attempt -ge 5 -or -not ($Cause -is [IO.FileLoadException] -or $Cause.HResult -in -2147024864, -2147023501)) { throw }
                Start-Sleep -Milliseconds (200 * $Attempt)
            } finally {
                $Manager.Dispose()
            }
        }
    } finally {
        $Mutex.ReleaseMutex()
        $Mutex.Dispose()
    }
}
