# The migrations that a prepared release would make, told by its own Django; only looks, so it needs no lock. $Request: pool, interpreter, folder (the release's), variables (of the site's process), program (what Python reads from standard input).
# uses: iis/pool_environment
# uses: windows/run_program
$Environment = Get-PoolEnvironment $Request.pool
foreach ($Variable in $Request.variables.PSObject.Properties) { $Environment[$Variable.Name] = $Variable.Value }
$Run = Invoke-Program $Request.interpreter '-' $Request.folder $Environment $Request.program
if ($Run.exit_code -eq 0) { ConvertFrom-Json $Run.output } else { @{ plan = [object[]] @(); problem = ($Run.errors.Trim() -split '\r?\n')[-1] } }
