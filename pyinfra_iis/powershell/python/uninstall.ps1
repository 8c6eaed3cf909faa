# Takes off a Python that python.org's installer made. $Request: archive (the installer), path (the folder).
# uses: windows/run_installer
$Run = Invoke-Installer $Request.archive '/uninstall /quiet /norestart'
if ($Run.exit_code -notin 0, 3010) { throw "Python's installer $($Request.archive) ended with $($Run.exit_code) on $($env:COMPUTERNAME)." }
if ([IO.Directory]::Exists($Request.path)) { [IO.Directory]::Delete($Request.path, $true) }
$null
