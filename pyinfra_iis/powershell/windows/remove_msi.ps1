# Takes an msi product off silently. $Request: code (its product code), log (a file for the installer's own account).
# uses: windows/run_installer
$Installer = [IO.Path]::Combine([Environment]::SystemDirectory, 'msiexec.exe')
$Run = Invoke-Installer $Installer ('/x {0} /qn /norestart /l*v "{1}"' -f $Request.code, $Request.log)
if ($Run.exit_code -notin 0, 3010) {
    throw "msiexec ended with $($Run.exit_code) while removing $($Request.code); its account is in $($Request.log) on $($env:COMPUTERNAME)."
}
[IO.File]::Delete($Request.log)
@{ restart_needed = ($Run.exit_code -eq 3010) }
