# What the application's folder holds. $Request: root.
$State = @{ releases = [object[]] @(); environments = [object[]] @() }
foreach ($Kind in @(@('releases', 'releases'), @('environments', 'venvs'))) {
    $Folder = [IO.Path]::Combine($Request.root, $Kind[1])
    if ([IO.Directory]::Exists($Folder)) {
        $Names = foreach ($Path in [IO.Directory]::GetDirectories($Folder)) { [IO.Path]::GetFileName($Path) }
        $State[$Kind[0]] = [object[]] @($Names | Where-Object { -not $_.EndsWith('.partial') })
    }
}
$State
