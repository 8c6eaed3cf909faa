# uses: windows/run_program
function Invoke-Installer([string] $Path, [string] $Arguments) {
    for ($Try = 1; ; $Try++) {
        $Run = Invoke-Program $Path $Arguments $env:SystemRoot @{} ''
        # 1618: another installation is under way, one of Windows' own for example.
        if ($Run.exit_code -ne 1618 -or $Try -ge 150) { return $Run }
        Start-Sleep -Seconds 2
    }
}
