# Runs a program of ours with the server's Python. $Request: interpreter, arguments (one command line, quoted), folder, program (the text
# that Python reads from standard input).
# uses: windows/run_program
$ExitCode = Invoke-Helper $Request @{}
if ($ExitCode -ne 0) { exit 1 }
$null
