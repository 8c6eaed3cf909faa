# Which virtual environments use a Python. $Request: path (its folder), below (folders to look in, as deep as applications keep them).
$Users = New-Object System.Collections.ArrayList
foreach ($Root in $Request.below) {
    if (-not [IO.Directory]::Exists($Root)) { continue }
    foreach ($Application in [IO.Directory]::GetDirectories($Root)) {
        $Folder = [IO.Path]::Combine($Application, 'venvs')
        if (-not [IO.Directory]::Exists($Folder)) { continue }
        foreach ($Environment in [IO.Directory]::GetDirectories($Folder)) {
            $Note = [IO.Path]::Combine($Environment, 'pyvenv.cfg')
            if (-not [IO.File]::Exists($Note)) { continue }
            foreach ($Line in [IO.File]::ReadAllLines($Note)) {
                if ($Line -match '^home\s*=\s*(.*?)\\?\s*$' -and $Matches[1] -eq $Request.path) { [void] $Users.Add($Environment) }
            }
        }
    }
}
@{ environments = [object[]] $Users.ToArray() }
