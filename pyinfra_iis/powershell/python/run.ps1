# Runs a program of ours with the server's Python. $Request: interpreter, arguments (one command line, quoted), folder, program (the text
# that Python reads from standard input), by (who deploys). $Secrets, if any: environment variables.
# uses: python/run_helper
# uses: release/lock
Enter-Deploy $Request.folder $Request.by
$Variables = @{}
if ($null -ne $Secrets) { foreach ($Secret in $Secrets.PSObject.Properties) { $Variables[$Secret.Name] = $Secret.Value } }
$ExitCode = Invoke-Helper $Request $Variables
if ($ExitCode -ne 0) { exit 1 }
$null
