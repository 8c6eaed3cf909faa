function Invoke-Program([string] $Path, [string] $Arguments, [string] $Folder, $Environment, [string] $Text) {
    $Start = New-Object Diagnostics.ProcessStartInfo
    $Start.FileName = $Path
    $Start.Arguments = $Arguments
    $Start.WorkingDirectory = $Folder
    $Start.UseShellExecute = $false
    $Start.CreateNoWindow = $true
    $Start.RedirectStandardInput = $true
    $Start.RedirectStandardOutput = $true
    $Start.RedirectStandardError = $true
    $Start.StandardOutputEncoding = New-Object Text.UTF8Encoding $false
    $Start.StandardErrorEncoding = New-Object Text.UTF8Encoding $false
    foreach ($Entry in $Environment.GetEnumerator()) { $Start.EnvironmentVariables[$Entry.Key] = $Entry.Value }
    $Process = [Diagnostics.Process]::Start($Start)
    $Output = $Process.StandardOutput.ReadToEndAsync()
    $Errors = $Process.StandardError.ReadToEndAsync()
    $Bytes = [Text.Encoding]::UTF8.GetBytes($Text)
    # A program that ends without reading it tells why itself.
    try {
        $Process.StandardInput.BaseStream.Write($Bytes, 0, $Bytes.Length)
        $Process.StandardInput.Close()
    } catch { }
    $Process.WaitForExit()
    @{ exit_code = $Process.ExitCode; output = $Output.Result; errors = $Errors.Result }
}
