# What would change in IIS if its configuration were brought to what is wanted. $Request: as iis/apply gets it. Nothing is committed.
# uses: iis/edit
# uses: iis/certificate
$Plan = New-Plan $null
$Installed = [IO.File]::Exists($Library)
$States = @()
if ($Installed) {
    $Manager = New-ServerManager
    try {
        $States = @(foreach ($Item in $Request.states) { @{ kind = $Item.kind; name = $Item.name; state = (Get-State $Manager $Item.kind $Item.name) } })
        Update-Configuration $Plan $Manager.GetApplicationHostConfiguration() $Request
        Compare-Certificates $Plan $Manager $Request.certificates
    } finally {
        $Manager.Dispose()
    }
}
@{ installed = $Installed; changes = $Plan.changes.ToArray(); problems = $Plan.problems.ToArray(); missing = $Plan.missing.ToArray(); states = $States }
