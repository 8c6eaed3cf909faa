# Takes off a Python that python.org's installer made. $Request: archive (the installer), path (the folder).
# uses: windows/run_program
$Run = Invoke-Program $Request.archive '/uninstall /quiet /norestart' $env:SystemRoot @{} ''
if ($Run.exit_code -notin 0, 3010) { throw "Python's installer $($Request.archive) ended with $($Run.exit_code) on $($env:COMPUTERNAME)." }
if ([IO.Directory]::Exists($Request.path)) { [IO.Directory]::Delete($Request.path, $true) }
$null
