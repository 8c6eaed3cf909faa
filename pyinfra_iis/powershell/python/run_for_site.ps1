# Runs a program of ours with the server's Python and the environment variables of a site's app pool. $Request: pool, and as python/run.
# uses: iis/pool_environment
# uses: python/run_helper
# uses: release/lock
Enter-Deploy $Request.folder $Request.by
$ExitCode = Invoke-Helper $Request (Get-PoolEnvironment $Request.pool)
if ($ExitCode -ne 0) { exit 1 }
$null
