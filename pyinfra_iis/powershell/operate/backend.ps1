# The worker processes of an application pool, and the processes that HttpPlatformHandler started in them.
function Get-Workers($Manager, [string] $Name) {
    $Pool = $Manager.ApplicationPools[$Name]
    if ($null -eq $Pool) { return }
    foreach ($Worker in $Pool.WorkerProcesses) { [int] $Worker.ProcessId }
}
function Get-Backends($Workers) {
    foreach ($Worker in $Workers) {
        foreach ($Child in (Get-CimInstance -ClassName Win32_Process -Filter "ParentProcessId = $Worker")) {
            if ($Child.Name -eq 'conhost.exe') { continue }
            # A process id is used again: what started before its parent is not its child.
            try {
                $Started = [Diagnostics.Process]::GetProcessById([int] $Child.ProcessId).StartTime.ToUniversalTime()
                if ($Started -lt [Diagnostics.Process]::GetProcessById($Worker).StartTime.ToUniversalTime()) { continue }
            } catch { continue }
            @{ id = [int] $Child.ProcessId; worker = $Worker; image = [string] $Child.ExecutablePath; started = $Started.ToString('s') + 'Z'; seconds = [int] ([DateTime]::UtcNow - $Started).TotalSeconds }
        }
    }
}
