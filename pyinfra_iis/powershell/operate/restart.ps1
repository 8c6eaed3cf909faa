# Gives an application a new process, and waits until its site is healthy. $Request: site, pool, stop (stop the pool and start it, instead of recycling it), health (as iis/await_health gets it).
# uses: iis/server_manager
# uses: iis/wait_healthy
# uses: operate/backend
function Get-PoolState {
    $Manager = New-ServerManager
    try {
        $Pool = $Manager.ApplicationPools[$Request.pool]
        # A worker process that stops gets no requests any more.
        $Serving = @(foreach ($Worker in $Pool.WorkerProcesses) { if ([string] $Worker.State -ne 'Stopping') { [int] $Worker.ProcessId } })
        @{ state = [string] $Pool.State; workers = [object[]] @(Get-Workers $Manager $Request.pool); serving = [object[]] $Serving }
    } finally { $Manager.Dispose() }
}
function Wait-Until([scriptblock] $Test, [string] $What) {
    $Deadline = [DateTime]::UtcNow.AddSeconds($Request.health.timeout)
    while (-not (& $Test)) {
        if ([DateTime]::UtcNow -gt $Deadline) { throw "The app pool $($Request.pool) on $($env:COMPUTERNAME) $What after $($Request.health.timeout) seconds." }
        Start-Sleep -Milliseconds 200
    }
}
function Invoke-Pool([string] $Action) {
    $Manager = New-ServerManager
    try { [void] $Manager.ApplicationPools[$Request.pool].$Action() } finally { $Manager.Dispose() }
}
$Watch = [Diagnostics.Stopwatch]::StartNew()
$Manager = New-ServerManager
$Pool = $Manager.ApplicationPools[$Request.pool]
$Site = $Manager.Sites[$Request.site]
if ($null -eq $Pool -or $null -eq $Site) { throw "$($env:COMPUTERNAME) has no application $($Request.site) to restart; deploy it first." }
if ([string] $Site.State -ne 'Started') { throw "The site $($Request.site) on $($env:COMPUTERNAME) is stopped; deploy it, or start it in IIS Manager: a new process would not help." }
$Manager.Dispose()

$Before = Get-PoolState
$Old = @(Get-Backends $Before.workers)
if ($Request.stop -and $Before.state -eq 'Started') {
    Invoke-Pool 'Stop'
    Wait-Until { $Now = Get-PoolState; $Now.state -eq 'Stopped' -and $Now.workers.Count -eq 0 } 'does not stop'
}
if ((Get-PoolState).state -eq 'Stopped') { Invoke-Pool 'Start' }
elseif ($Before.workers.Count -gt 0) { Invoke-Pool 'Recycle' }
# Where the pool starts nothing by itself, the first request does.
try {
    Wait-Until {
        [void] (Get-Response $Request.health.address $Request.health.host 5000 (Get-Probe $Request.health.shared))
        $Serving = (Get-PoolState).serving
        $Serving.Count -gt 0 -and @($Serving | Where-Object { $Before.workers -contains $_ }).Count -eq 0
    } 'has no new worker process'
} catch {
    # A site that does not answer says more.
    $Request.health.timeout = 1
    [void] (Wait-Healthy $Request.health '')
    throw
}
$Status = (Wait-Healthy $Request.health '').status
$New = @(Get-Backends (Get-PoolState).serving)
@{ was = $Before.state; before = [object[]] $Old; after = [object[]] $New; status = $Status; seconds = [Math]::Round($Watch.Elapsed.TotalSeconds, 1) }
