# uses: iis/server_manager
# uses: iis/certificate
function Set-Configuration($Wish, $Secrets) {
    $Mutex = New-Object Threading.Mutex $false, 'Global\pyinfra-iis-configuration'
    try { if (-not $Mutex.WaitOne(60000)) { throw "Another change of IIS's configuration has been running on $($env:COMPUTERNAME) for a minute." } }
    catch [Threading.AbandonedMutexException] { }
    try {
        for ($Attempt = 1; ; $Attempt++) {
            $Manager = New-ServerManager
            try {
                $Configuration = $Manager.GetApplicationHostConfiguration()
                foreach ($Name in $Wish.sections) { $Configuration.GetSection($Name).OverrideMode = [Microsoft.Web.Administration.OverrideMode]::Allow }
                $Pools = $Configuration.GetSection('system.applicationHost/applicationPools').GetCollection()
                foreach ($Wanted in $Wish.pools) {
                    $Pool = Find-Item $Pools 'name' $Wanted.name
                    if ($null -eq $Pool) {
                        $Pool = $Pools.CreateElement('add')
                        $Pool.SetAttributeValue('name', $Wanted.name)
                        [void] $Pools.Add($Pool)
                    }
                    foreach ($Property in $Wanted.attributes.PSObject.Properties) {
                        $Element = $Pool
                        $Parts = $Property.Name.Split('.')
                        for ($Index = 0; $Index -lt $Parts.Length - 1; $Index++) { $Element = $Element.GetChildElement($Parts[$Index]) }
                        $Value = $Property.Value
                        if ($Element.GetAttribute($Parts[$Parts.Length - 1]).Value -is [TimeSpan]) { $Value = [TimeSpan]::Parse($Value) }
                        $Element.SetAttributeValue($Parts[$Parts.Length - 1], $Value)
                    }
                    $Variables = $Pool.GetCollection('environmentVariables')
                    foreach ($Name in $Wanted.environment) {
                        $Variable = Find-Item $Variables 'name' $Name
                        if ($null -eq $Variable) {
                            $Variable = $Variables.CreateElement('add')
                            $Variable.SetAttributeValue('name', $Name)
                            $Variable.SetAttributeValue('value', [string] $Secrets.$Name)
                            [void] $Variables.Add($Variable)
                        } else {
                            $Variable.SetAttributeValue('value', [string] $Secrets.$Name)
                        }
                    }
                    foreach ($Name in $Wanted.generate) {
                        if ($null -ne (Find-Item $Variables 'name' $Name)) { continue }
                        $Bytes = New-Object byte[] 48
                        $Random = New-Object Security.Cryptography.RNGCryptoServiceProvider
                        $Random.GetBytes($Bytes)
                        $Variable = $Variables.CreateElement('add')
                        $Variable.SetAttributeValue('name', $Name)
                        $Variable.SetAttributeValue('value', [Convert]::ToBase64String($Bytes))
                        [void] $Variables.Add($Variable)
                    }
                }
                $Sites = $Configuration.GetSection('system.applicationHost/sites').GetCollection()
                foreach ($Wanted in $Wish.sites) {
                    $Site = Find-Item $Sites 'name' $Wanted.name
                    if ($null -eq $Site) {
                        $Highest = 0
                        foreach ($Other in $Sites) { $Highest = [Math]::Max([long] $Highest, [long] $Other.GetAttributeValue('id')) }
                        $Site = $Sites.CreateElement('site')
                        $Site.SetAttributeValue('name', $Wanted.name)
                        $Site.SetAttributeValue('id', [long] ($Highest + 1))
                        [void] $Sites.Add($Site)
                    }
                    $Bindings = $Site.GetCollection('bindings')
                    $Keep = @{}
                    foreach ($Binding in $Wanted.bindings) { $Keep[$Binding.protocol + ' ' + $Binding.information] = $Binding }
                    for ($Index = $Bindings.Count - 1; $Index -ge 0; $Index--) {
                        $Key = $Bindings[$Index].GetAttributeValue('protocol') + ' ' + $Bindings[$Index].GetAttributeValue('bindingInformation')
                        if ($Keep.ContainsKey($Key)) { $Keep.Remove($Key) } else { $Bindings.RemoveAt($Index) }
                    }
                    foreach ($Binding in $Wanted.bindings) {
                        if ($Binding.protocol -eq 'https' -or -not $Keep.ContainsKey($Binding.protocol + ' ' + $Binding.information)) { continue }
                        $New = $Bindings.CreateElement('binding')
                        $New.SetAttributeValue('protocol', $Binding.protocol)
                        $New.SetAttributeValue('bindingInformation', $Binding.information)
                        [void] $Bindings.Add($New)
                    }
                    $Applications = $Site.GetCollection()
                    $Application = Find-Item $Applications 'path' '/'
                    if ($null -eq $Application) {
                        $Application = $Applications.CreateElement('application')
                        $Application.SetAttributeValue('path', '/')
                        [void] $Applications.Add($Application)
                    }
                    $Application.SetAttributeValue('applicationPool', $Wanted.pool)
                    $Directories = $Application.GetCollection()
                    $Directory = Find-Item $Directories 'path' '/'
                    if ($null -eq $Directory) {
                        $Directory = $Directories.CreateElement('virtualDirectory')
                        $Directory.SetAttributeValue('path', '/')
                        [void] $Directories.Add($Directory)
                    }
                    $Directory.SetAttributeValue('physicalPath', $Wanted.path)
                }
                $Manager.CommitChanges()
                break
            } catch {
                # Somebody else has written the file since it was read: read it again and repeat.
                $Cause = $_.Exception.GetBaseException()
                if ($Attempt -ge 5 -or -not ($Cause -is [IO.FileLoadException] -or $Cause.HResult -in -2147024864, -2147023501)) { throw }
                Start-Sleep -Milliseconds (200 * $Attempt)
            } finally {
                $Manager.Dispose()
            }
        }
        foreach ($Wanted in $Wish.sites) { Set-Certificate $Wanted }
    } finally {
        $Mutex.ReleaseMutex()
        $Mutex.Dispose()
    }
    # States arrive some time after the commit.
    foreach ($Kind in @(@('ApplicationPools', $Wish.pools), @('Sites', $Wish.sites))) {
        foreach ($Wanted in $Kind[1]) {
            $Deadline = [DateTime]::UtcNow.AddSeconds(30)
            $State = ''
            while ($true) {
                $Manager = New-ServerManager
                try {
                    $Item = $Manager.($Kind[0])[$Wanted.name]
                    $State = [string] $Item.State
                    if ($State -eq 'Stopped') { [void] $Item.Start(); $State = [string] $Item.State }
                } catch {
                    $State = $_.Exception.GetBaseException().Message
                } finally {
                    $Manager.Dispose()
                }
                if ($State -eq 'Started') { break }
                if ([DateTime]::UtcNow -gt $Deadline) { throw "$($Wanted.name) does not start on $($env:COMPUTERNAME): $State" }
                Start-Sleep -Milliseconds 250
            }
        }
    }
}
