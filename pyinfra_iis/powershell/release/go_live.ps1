# Makes a release live on a site that is not there yet, or not as it should be. $Request: root, release, by (who deploys), site (name, application (its path), path, wish), bad (a release to mark as bad, or empty), health (as iis/await_health gets it).
# uses: iis/configure
# uses: release/switching
Switch-Release $Request {
    $Wish = ConvertFrom-Json '{"sections": [], "pools": [], "sites": []}'
    $Wish.sites = @($Request.site)
    Set-Configuration $Wish $null
}
