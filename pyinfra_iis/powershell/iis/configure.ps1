# uses: iis/edit
# uses: iis/set_certificates
# uses: iis/states
# A site as a release brings it: what is wanted of it, with the folder of its root.
function Get-SiteWish($Site) {
    $Site.wish.sections[0].items[0].items[0].items[0].set.physicalPath = $Site.path
    $Site.wish
}
function Set-Configuration($Wish, $Secrets) {
    $Wishes = @($Wish) + @(foreach ($Site in $Wish.sites) { Get-SiteWish $Site })
    if ($null -eq $Secrets) { $Secrets = @{} }
    if (-not [IO.File]::Exists($Library)) { throw "IIS's management tools are not installed on $($env:COMPUTERNAME)." }
    $Mutex = New-Object Threading.Mutex $false, 'Global\pyinfra-iis-configuration'
    try { if (-not $Mutex.WaitOne(60000)) { throw "Another change of IIS's configuration has been running on $($env:COMPUTERNAME) for a minute." } }
    catch [Threading.AbandonedMutexException] { }
    try {
        $IsSecond = $false
        for ($Attempt = 1; ; $Attempt++) {
            $Manager = New-ServerManager
            try {
                $Plan = New-Plan $Secrets
                $Configuration = $Manager.GetApplicationHostConfiguration()
                $Before = @(Get-SecureBindings $Configuration)
                foreach ($Part in $Wishes) { Update-Configuration $Plan $Configuration $Part }
                if ($Plan.problems.Count) { throw ($Plan.problems -join ' ') }
                # A section for a path of a site that this makes may only be there when the site is.
                $IsWaiting = @($Plan.missing | Where-Object { $_.Contains(' ') }).Count -eq $Plan.missing.Count -and -not $IsSecond -and $Plan.changes.Count
                if ($Plan.missing.Count -and -not $IsWaiting) { throw "The IIS of $($env:COMPUTERNAME) has no section $($Plan.missing -join ', '): the feature or module that brings it is not installed, or the site is not there." }
                foreach ($Part in $Wishes) { foreach ($Item in $Part.certificates) { [void] (Get-Certificate $Item.wanted) } }
                if ($Plan.changes.Count) { $Manager.CommitChanges() }
                if (-not $Plan.missing.Count) { break }
                $IsSecond = $true
            } catch {
                # Somebody else has written the file since it was read: read it again and repeat.
                $Cause = $_.Exception.GetBaseException()
                if ($Attempt -ge 5 -or -not ($Cause -is [IO.FileLoadException] -or $Cause.HResult -in -2147024864, -2147023501)) { throw }
                Start-Sleep -Milliseconds (200 * $Attempt)
            } finally {
                $Manager.Dispose()
            }
        }
        foreach ($Part in $Wishes) { Set-Certificates $Part.certificates }
        Remove-UnusedCertificates $Before
    } finally {
        $Mutex.ReleaseMutex()
        $Mutex.Dispose()
    }
    foreach ($Part in $Wishes) { foreach ($Item in $Part.states) { Wait-State $Item } }
}
