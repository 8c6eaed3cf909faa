# What the application's folder holds, and which release is live. $Request: root, site, application (its path), wanted (a release; when it is not there, the record of one that it can be made from is told, compressed).
# uses: iis/server_manager
$State = @{ releases = [object[]] @(); environments = [object[]] @(); bad = [object[]] @(); history = [object[]] @(); index = [object[]] @(); partials = [object[]] @(); folders = [object[]] @(); packages = [object[]] @(); live = ''; record = '' }
foreach ($Kind in @(@('releases', 'releases'), @('environments', 'venvs'))) {
    $Folder = [IO.Path]::Combine($Request.root, $Kind[1])
    if ([IO.Directory]::Exists($Folder)) {
        $Names = foreach ($Path in [IO.Directory]::GetDirectories($Folder)) { [IO.Path]::GetFileName($Path) }
        $State[$Kind[0]] = [object[]] @($Names | Where-Object { -not $_.EndsWith('.partial') })
        $State.partials = [object[]] @($State.partials + @($Names | Where-Object { $_.EndsWith('.partial') }))
    }
}
if ([IO.Directory]::Exists($Request.root)) {
    $State.folders = [object[]] @(foreach ($Path in [IO.Directory]::GetDirectories($Request.root)) { [IO.Path]::GetFileName($Path) })
}
$Folder = [IO.Path]::Combine($Request.root, 'releases')
if ([IO.Directory]::Exists($Folder)) {
    $Names = foreach ($Path in [IO.Directory]::GetFiles($Folder, '*.bad')) { [IO.Path]::GetFileNameWithoutExtension($Path) }
    $State.bad = [object[]] @($Names | Where-Object { $_ })
}
# Half a line, left by a power cut, does not count.
foreach ($List in @(@('history', 'history.txt', '^\S+ r[0-9a-f]{15}$'), @('index', 'releases\index.txt', '^r[0-9a-f]{15} \S+$'))) {
    $Path = [IO.Path]::Combine($Request.root, $List[1])
    if ([IO.File]::Exists($Path)) { $State[$List[0]] = [object[]] @([IO.File]::ReadAllLines($Path) | Where-Object { $_ -cmatch $List[2] } | Select-Object -Last 200) }
}
if ([IO.File]::Exists($Library)) {
    $Manager = New-ServerManager
    $Application = Find-Application $Manager $Request.site $Request.application
    if ($null -ne $Application) { $State.live = [IO.Path]::GetFileName([string] $Application.VirtualDirectories['/'].PhysicalPath) }
    $Manager.Dispose()
}
if ($Request.wanted -and $State.releases -notcontains $Request.wanted) {
    $Candidates = @($State.live) + @(for ($Index = $State.history.Length - 1; $Index -ge 0; $Index--) { $State.history[$Index].Split(' ')[-1] })
    foreach ($Name in $Candidates) {
        $Path = [IO.Path]::Combine($Folder, $Name + '.json')
        if ($State.releases -notcontains $Name -or -not [IO.File]::Exists($Path)) { continue }
        $Memory = New-Object IO.MemoryStream
        $Zip = New-Object IO.Compression.GZipStream $Memory, ([IO.Compression.CompressionMode]::Compress)
        $Bytes = [IO.File]::ReadAllBytes($Path)
        $Zip.Write($Bytes, 0, $Bytes.Length)
        $Zip.Close()
        $State.record = [Convert]::ToBase64String($Memory.ToArray())
        $Uses = @($State.index | Where-Object { $_.StartsWith($Name + ' ') } | Select-Object -Last 1)
        if ($Uses.Length -gt 0) {
            $Path = [IO.Path]::Combine($Request.root, 'venvs', $Uses[0].Split(' ')[-1], 'packages.txt')
            if ([IO.File]::Exists($Path)) { $State.packages = [object[]] @([IO.File]::ReadAllLines($Path)) }
        }
        break
    }
}
$State
