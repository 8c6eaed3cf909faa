# Runs the server's Python. $Request: interpreter, arguments (one command line, quoted), folder.
# uses: windows/run_program
$Run = Invoke-Program $Request.interpreter $Request.arguments $Request.folder @{}
foreach ($Line in ($Run.output -split '\r?\n')) { if ($Line) { [Console]::Out.WriteLine($Line) } }
foreach ($Line in ($Run.errors -split '\r?\n')) { if ($Line) { [Console]::Error.WriteLine($Line) } }
if ($Run.exit_code -ne 0) { exit 1 }
$null
