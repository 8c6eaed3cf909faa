# Makes a release live on a site that is right but for its folder. $Request: as release/go_live gets it; of the site only name, application and path.
# uses: release/switching
Switch-Release $Request { Set-SitePath $Request.site $Request.site.path }
