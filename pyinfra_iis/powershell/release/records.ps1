# Who made the releases, when and from what, as their records say. $Request: root.
# Only the texts and the size of a record are taken: its list of files may be megabytes, and its values are lists.
$Records = @{}
$Folder = [IO.Path]::Combine($Request.root, 'releases')
if ([IO.Directory]::Exists($Folder)) {
    foreach ($Path in [IO.Directory]::GetFiles($Folder, '*.json')) {
        $Found = [regex]::Matches([IO.File]::ReadAllText($Path), '"(made|by|commit|ref)": "([^"\\]|\\.)*"|"size": [0-9]+')
        $Pairs = foreach ($Match in $Found) { $Match.Value }
        try { $Records[[IO.Path]::GetFileNameWithoutExtension($Path)] = ConvertFrom-Json ('{' + ($Pairs -join ', ') + '}') }
        catch { $Records[[IO.Path]::GetFileNameWithoutExtension($Path)] = @{} }
    }
}
@{ records = $Records }
