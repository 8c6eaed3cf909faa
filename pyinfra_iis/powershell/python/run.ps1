# Runs a program of ours with the server's Python. $Request: interpreter, arguments (one command line, quoted), folder, program (the text
# that Python reads from standard input), by (who deploys).
# uses: windows/run_program
# uses: release/lock
Enter-Deploy $Request.folder $Request.by
$ExitCode = Invoke-Helper $Request @{}
if ($ExitCode -ne 0) { exit 1 }
$null
