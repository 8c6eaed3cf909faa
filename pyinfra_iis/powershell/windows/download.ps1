# Fetches files and checks their SHA-256: all of them or none. $Request: files (list of url, path and sha256).
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
$Created = New-Object System.Collections.ArrayList
try {
    foreach ($File in $Request.files) {
        $Folder = [IO.Path]::GetDirectoryName($File.path)
        $Missing = New-Object System.Collections.ArrayList
        while (-not [IO.Directory]::Exists($Folder)) { [void] $Missing.Add($Folder); $Folder = [IO.Path]::GetDirectoryName($Folder) }
        $Missing.Reverse()
        foreach ($Folder in $Missing) { [void] [IO.Directory]::CreateDirectory($Folder); [void] $Created.Add($Folder) }
        $Partial = $File.path + '.partial'
        [void] $Created.Add($Partial)
        $Client = New-Object Net.WebClient
        try {
            $Client.DownloadFile($File.url, $Partial)
        } catch {
            throw "$($File.url) could not be fetched by $($env:COMPUTERNAME): $($_.Exception.GetBaseException().Message)"
        } finally {
            $Client.Dispose()
        }
        $Sum = (Get-FileHash -LiteralPath $Partial -Algorithm SHA256).Hash.ToLowerInvariant()
        if ($Sum -ne $File.sha256) { throw "The SHA-256 of $($File.url) is $Sum, but $($File.sha256) was expected; nothing was installed on $($env:COMPUTERNAME)." }
        if ([IO.File]::Exists($File.path)) { [IO.File]::Delete($File.path) }
        for ($Try = 1; ; $Try++) {
            # A virus scanner may hold for a moment what has just been written.
            try { [IO.File]::Move($Partial, $File.path); break } catch [IO.IOException] { if ($Try -ge 20) { throw } }
            Start-Sleep -Milliseconds 250
        }
        [void] $Created.Add($File.path)
    }
} catch {
    $Created.Reverse()
    foreach ($Path in $Created) {
        # What is held stays; the next download writes over it.
        try {
            if ([IO.File]::Exists($Path)) { [IO.File]::Delete($Path) }
            elseif ([IO.Directory]::Exists($Path)) { [IO.Directory]::Delete($Path) }
        } catch { }
    }
    throw
}
$null
