# Runs a program of ours with the server's Python; what it prints is printed. $Request: interpreter, arguments, folder, program.
# uses: windows/run_program
function Invoke-Helper($Request, $Environment) {
    $Run = Invoke-Program $Request.interpreter $Request.arguments $Request.folder $Environment $Request.program
    foreach ($Line in ($Run.output -split '\r?\n')) { if ($Line) { [Console]::Out.WriteLine($Line) } }
    foreach ($Line in ($Run.errors -split '\r?\n')) { if ($Line) { [Console]::Error.WriteLine($Line) } }
    $Run.exit_code
}
