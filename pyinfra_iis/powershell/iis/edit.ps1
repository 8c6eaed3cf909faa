# uses: iis/server_manager
# Edits of IIS's configuration, compared by IIS's own schema. Nothing here commits.
# A plan collects what an edit changes: changes (what, old, new as IIS writes them; null: not there), problems (sentences; then nothing may be committed),
# missing (sections that this IIS does not have). Its secrets are values by id, or null where it is only looked.
function New-Plan($Secrets) {
    @{ changes = New-Object Collections.ArrayList; problems = New-Object Collections.ArrayList; missing = New-Object Collections.ArrayList; secrets = $Secrets }
}
function Get-State($Manager, [string] $Kind, [string] $Name) {
    if ($Kind -eq 'pool') { $Item = $Manager.ApplicationPools[$Name] } else { $Item = $Manager.Sites[$Name] }
    if ($null -eq $Item) { return $null }
    try { [string] $Item.State } catch { 'Unknown' }
}
function Find-Schema($Schemas, [string] $Name) {
    foreach ($Item in $Schemas) { if ($Item.Name -eq $Name) { return $Item } }
    $null
}
function Add-Change($Plan, [string] $What, $Old, $New) {
    [void] $Plan.changes.Add(@{ what = $What; old = $Old; new = $New })
}
function Get-Section($Configuration, [string] $Name, [string] $Location) {
    $Parts = $Name.Split('/')
    $Group = $Configuration.RootSectionGroup
    for ($Index = 0; $Index -lt $Parts.Length - 1; $Index++) {
        $Group = Find-Schema $Group.SectionGroups $Parts[$Index]
        if ($null -eq $Group) { return $null }
    }
    if ($null -eq (Find-Schema $Group.Sections $Parts[$Parts.Length - 1])) { return $null }
    if ($Location) { $Configuration.GetSection($Name, $Location) } else { $Configuration.GetSection($Name) }
}
# A value as IIS writes it.
function Format-Setting($Schema, $Value) {
    if ($Value -is [TimeSpan] -and $Value -eq [TimeSpan]::MaxValue) { return 'Infinite' }
    if ($Value -is [bool]) { return ([string] $Value).ToLowerInvariant() }
    if ($Value -is [string] -or $Schema.Type -notin 'enum', 'flags') { return [string] $Value }
    if ($Schema.Type -eq 'enum') {
        $Name = $Schema.GetEnumValues().GetName($Value)
        if ($null -eq $Name) { return [string] $Value }
        return $Name
    }
    $Names = @(foreach ($Item in $Schema.GetEnumValues()) { if ($Item.Value -ne 0 -and ($Value -band $Item.Value) -eq $Item.Value) { $Item.Name } })
    $Names -join ', '
}
# A wanted value in the type that the schema gives; a value that it does not permit ends in the sentence that says what it permits.
function ConvertTo-Setting($Schema, $Value) {
    $Text = @($Value) -join ','
    switch ($Schema.Type) {
        'bool' {
            if ($Text -in 'true', '1') { return $true }
            if ($Text -in 'false', '0') { return $false }
            throw 'true and false are permitted'
        }
        'enum' {
            foreach ($Item in $Schema.GetEnumValues()) { if ($Item.Name -eq $Text -or [string] $Item.Value -eq $Text) { return $Item.Name } }
            throw "permitted are $(@(foreach ($Item in $Schema.GetEnumValues()) { $Item.Name }) -join ', ')"
        }
        'flags' { return ConvertTo-Flags $Schema $Text }
        'timeSpan' { return ConvertTo-TimeSpan $Schema $Text }
        'string' {
            if ($Schema.ValidationType -eq 'nonEmptyString' -and -not $Text) { throw 'it must not be empty' }
            return $Text
        }
    }
    $Number = [long] 0
    if ($Schema.AllowInfinite -and $Text -eq 'Infinite') { return 4294967295 }
    if (-not [long]::TryParse($Text, [ref] $Number)) { throw 'a whole number is needed' }
    $Range = @(0, 4294967295)
    if ($Schema.Type -eq 'int') { $Range = @(-2147483648, 2147483647) }
    if ($Schema.Type -eq 'int64') { $Range = @([long]::MinValue, [long]::MaxValue) }
    if ($Number -lt $Range[0] -or $Number -gt $Range[1]) { throw "permitted are $($Range[0]) to $($Range[1])" }
    if ($Schema.ValidationType -eq 'integerRange') {
        $Limits = $Schema.ValidationParameter.Split(',')
        $Inside = $Number -ge [long] $Limits[0] -and $Number -le [long] $Limits[1]
        if ($Limits.Length -gt 2 -and $Inside) { throw "$($Limits[0]) to $($Limits[1]) are not permitted" }
        if ($Limits.Length -eq 2 -and -not $Inside) { throw "permitted are $($Limits[0]) to $($Limits[1])" }
    }
    if ($Number -ge -2147483648 -and $Number -le 2147483647) { return [int] $Number }
    $Number
}
function ConvertTo-Flags($Schema, [string] $Text) {
    $Sum = [long] 0
    foreach ($Part in $Text.Split(',')) {
        $Name = $Part.Trim()
        if ($Name -in '', '0', 'None') { continue }
        $Found = $null
        foreach ($Item in $Schema.GetEnumValues()) { if ($Item.Name -eq $Name) { $Found = $Item.Value } }
        if ($null -eq $Found -and $Name -match '^\d+$') { $Found = [long] $Name }
        if ($null -eq $Found) { throw "permitted are any of $(@(foreach ($Item in $Schema.GetEnumValues()) { $Item.Name }) -join ', ')" }
        $Sum = $Sum -bor $Found
    }
    $Known = [long] 0
    foreach ($Item in $Schema.GetEnumValues()) { $Known = $Known -bor $Item.Value }
    if (($Sum -band $Known) -ne $Sum) { throw "permitted are any of $(@(foreach ($Item in $Schema.GetEnumValues()) { $Item.Name }) -join ', ')" }
    [int] $Sum
}
function ConvertTo-TimeSpan($Schema, [string] $Text) {
    if ($Text -eq 'Infinite' -and $Schema.AllowInfinite) { return [TimeSpan]::MaxValue }
    if ($Text -match '^\d+$') {
        $Seconds = [long] $Text
        if ($Schema.TimeSpanFormat -eq 'minutes') { $Seconds = $Seconds * 60 }
    } elseif ($Text -match '^(?:(\d+)\.)?(\d+):(\d{1,2})(?::(\d{1,2}))?$') {
        $Seconds = (([long] $Matches[1] * 24 + [long] $Matches[2]) * 60 + [long] $Matches[3]) * 60 + [long] $Matches[4]
    } else {
        throw 'a time span is needed: hh:mm:ss, d.hh:mm:ss or seconds'
    }
    if ($Schema.ValidationType -eq 'timeSpanRange') {
        $Limits = $Schema.ValidationParameter.Split(',')
        $Inside = $Seconds -ge [long] $Limits[0] -and $Seconds -le [long] $Limits[1]
        $Step = [long] 1
        if ($Limits.Length -gt 2) { $Step = [Math]::Max([long] 1, [long] $Limits[2]) }
        if ($Inside -eq ($Limits.Length -gt 3) -or $Seconds % $Step) {
            $Not = ''
            if ($Limits.Length -gt 3) { $Not = 'not ' }
            throw "${Not}permitted are $([TimeSpan]::FromSeconds([long] $Limits[0])) to $([TimeSpan]::FromSeconds([long] $Limits[1])) in steps of $([TimeSpan]::FromSeconds($Step))"
        }
    }
    [TimeSpan]::FromSeconds($Seconds)
}
function Set-Setting($Plan, $Element, $Schema, $Value, [string] $What, [bool] $Made) {
    if ($Value -is [Management.Automation.PSCustomObject]) { Set-Secret $Plan $Element $Schema ([string] $Value.secret) $What $Made; return }
    $Attribute = $Element.GetAttribute($Schema.Name)
    $Old = Format-Setting $Schema $Attribute.Value
    try {
        if ($null -eq $Value) {
            if ($Made -or $Attribute.IsInheritedFromDefaultValue) { return }
            $Before = $Attribute.Value
            $Attribute.Delete()
            $New = Format-Setting $Schema $Element.GetAttributeValue($Schema.Name)
            if ($New -ceq $Old) { $Element.SetAttributeValue($Schema.Name, $Before); return }
        } else {
            $Setting = ConvertTo-Setting $Schema $Value
            $New = Format-Setting $Schema $Setting
            if ($Made) { $Old = $null } elseif ($New -ceq $Old) { return }
            $Element.SetAttributeValue($Schema.Name, $Setting)
        }
    } catch {
        [void] $Plan.problems.Add("$What cannot be '$(@($Value) -join ', ')': $($_.Exception.GetBaseException().Message.Trim()).")
        return
    }
    if ($Schema.IsEncrypted) { Add-Change $Plan $What '***' '***' } else { Add-Change $Plan $What $Old $New }
}
# Where it is only looked, the value that is there is told as a salted hash; who wants another one compares.
function Set-Secret($Plan, $Element, $Schema, [string] $Id, [string] $What, [bool] $Made) {
    $Old = [string] $Element.GetAttributeValue($Schema.Name)
    if ($null -eq $Plan.secrets) {
        $Change = @{ what = $What; old = $null; new = '***'; secret = $Id; hash = ''; salt = '' }
        if (-not $Made -and $Old) {
            $Hash = New-Object Security.Cryptography.Rfc2898DeriveBytes $Old, 16, 1000
            $Change.old = '***'
            $Change.hash = [Convert]::ToBase64String($Hash.GetBytes(20))
            $Change.salt = [Convert]::ToBase64String($Hash.Salt)
        }
        [void] $Plan.changes.Add($Change)
        if ($Made) { $Element.SetAttributeValue($Schema.Name, '***') }
        return
    }
    $New = [string] $Plan.secrets.$Id
    if (-not $Made -and $New -ceq $Old) { return }
    try { $Element.SetAttributeValue($Schema.Name, $New) }
    catch { [void] $Plan.problems.Add("$What cannot have the value that was given: $($_.Exception.GetBaseException().Message.Trim())."); return }
    $Mask = '***'
    if ($Made -or -not $Old) { $Mask = $null }
    Add-Change $Plan $What $Mask '***'
}
function Update-Settings($Plan, $Element, $Settings, [string] $What, [string] $Path, [bool] $Made, [string] $Main) {
    foreach ($Property in $Settings.PSObject.Properties) {
        $Schema = Find-Schema $Element.Schema.AttributeSchemas $Property.Name
        if ($null -ne $Schema) {
            $Label = "$What $Path$($Schema.Name)"
            if ($Main -eq $Schema.Name) { $Label = $What }
            Set-Setting $Plan $Element $Schema $Property.Value $Label $Made
            continue
        }
        if ($Property.Name -eq 'entries' -and $null -ne $Element.Schema.CollectionSchema) {
            Update-Items $Plan $Element @{ items = (ConvertTo-Items $Element $Property.Value); only = $true; list = "$Path$($Property.Name)" } $What $Made
            continue
        }
        $Schema = Find-Schema $Element.Schema.ChildElementSchemas $Property.Name
        if ($null -eq $Schema) {
            $Known = @(foreach ($Item in $Element.Schema.AttributeSchemas) { $Item.Name }) + @(foreach ($Item in $Element.Schema.ChildElementSchemas) { $Item.Name })
            [void] $Plan.problems.Add("$What has no property $Path$($Property.Name) in the IIS of $($env:COMPUTERNAME); there are $($Known -join ', ').")
            continue
        }
        $Child = $Element.GetChildElement($Schema.Name)
        if ($Property.Value -isnot [array]) { Update-Settings $Plan $Child $Property.Value $What "$Path$($Schema.Name)." $Made ''; continue }
        $Items = ConvertTo-Items $Child $Property.Value
        Update-Items $Plan $Child @{ items = $Items; only = $true; list = "$Path$($Schema.Name)" } $What $Made
    }
}
# A collection's whole content, given as a list: of objects with the items' properties, or of their only key.
function ConvertTo-Items($Element, $List) {
    $Tag = $Element.Schema.CollectionSchema.AddElementNames.Split(',')[0]
    $Schemas = $Element.Schema.CollectionSchema.GetAddElementSchema($Tag).AttributeSchemas
    $Keys = @(foreach ($Item in $Schemas) { if ($Item.IsUniqueKey -or $Item.IsCombinedKey) { $Item.Name } })
    $Items = foreach ($Entry in $List) {
        $Key = @{}
        $Rest = @{}
        if ($Entry -is [Management.Automation.PSCustomObject]) {
            foreach ($Property in $Entry.PSObject.Properties) { if ($Property.Name -in $Keys -or $Keys.Count -eq 0) { $Key[$Property.Name] = $Property.Value } else { $Rest[$Property.Name] = $Property.Value } }
        } else {
            $Key[$Keys[0]] = $Entry
        }
        [pscustomobject] @{ tag = $Tag; key = [pscustomobject] $Key; set = [pscustomobject] $Rest }
    }
    , @($Items)
}
function Get-Title($Item, [string[]] $Names) {
    @(foreach ($Name in $Names) { $Attribute = $Item.GetAttribute($Name); Format-Setting $Attribute.Schema $Attribute.Value }) -join ' '
}
function Update-Items($Plan, $Element, $Wish, [string] $What, [bool] $Made) {
    $Collection = $Element.GetCollection()
    $Prefix = ''
    if ($What) { $Prefix = "$What " }
    $Names = @()
    $Wanted = @()
    foreach ($Want in $Wish.items) {
        $Tag = $Want.tag
        if (-not $Tag) { $Tag = $Element.Schema.CollectionSchema.AddElementNames.Split(',')[0] }
        $Schemas = $Element.Schema.CollectionSchema.GetAddElementSchema($Tag).AttributeSchemas
        $Key = @{}
        $Names = @()
        foreach ($Property in $Want.key.PSObject.Properties) {
            $Schema = Find-Schema $Schemas $Property.Name
            if ($null -eq $Schema) { [void] $Plan.problems.Add("$Prefix$($Wish.list) has no property $($Property.Name) in the IIS of $($env:COMPUTERNAME)."); return }
            try { $Key[$Schema.Name] = ConvertTo-Setting $Schema $Property.Value }
            catch { [void] $Plan.problems.Add("$Prefix$($Wish.list) $($Schema.Name) cannot be '$($Property.Value)': $($_.Exception.Message)."); return }
            $Names += $Schema.Name
        }
        $Title = @(foreach ($Name in $Names) { Format-Setting (Find-Schema $Schemas $Name) $Key[$Name] }) -join ' '
        $Wanted += $Title
        $Found = $null
        $IsExact = $false
        foreach ($Name in $Names) { if ((Find-Schema $Schemas $Name).IsCaseSensitive) { $IsExact = $true } }
        foreach ($Item in $Collection) {
            if ($Item.ElementTagName -ne $Tag) { continue }
            $Other = Get-Title $Item $Names
            if ($Other -ceq $Title -or (-not $IsExact -and $Other -eq $Title)) { $Found = $Item; break }
        }
        $Label = "$Prefix$($Want.what)".TrimEnd()
        if ($Wish.list) { $Label = "$Prefix$($Wish.list) $Title" }
        if ($Want.present -eq $false) {
            if ($null -ne $Found) { Remove-Entry $Plan $Collection $Collection.IndexOf($Found) $Wish $Want $Prefix $Title }
            continue
        }
        if ($null -ne $Found) { Update-Element $Plan $Found $Want $Label $false; continue }
        $Looks = $null -eq $Plan.secrets
        if ($Want.must -and -not $Looks) { [void] $Plan.problems.Add("$Label is not there on $($env:COMPUTERNAME)."); continue }
        if ($Wish.list -and -not $Want.main) { Add-Change $Plan "$Prefix$($Wish.list)" $null $Title }
        elseif (-not ($Made -or $Want.main -or $Want.must)) { Add-Change $Plan $Label $null 'present' }
        $New = $Collection.CreateElement($Tag)
        try {
            foreach ($Name in $Names) { $New.SetAttributeValue($Name, $Key[$Name]) }
            if ($Want.number) { $New.SetAttributeValue($Want.number, (Get-Highest $Collection $Want.number) + 1) }
            foreach ($Name in $Want.generate) {
                $New.SetAttributeValue($Name, (New-RandomText))
                Add-Change $Plan $Label $null '***'
            }
            Update-Element $Plan $New $Want $Label (-not $Want.must)
            if ($Want.first) { [void] $Collection.AddAt(0, $New) } else { [void] $Collection.Add($New) }
        } catch {
            if ($Plan.problems.Count -eq 0) { [void] $Plan.problems.Add("$Label cannot be made: $($_.Exception.GetBaseException().Message.Trim()).") }
        }
    }
    if (-not $Wish.only) { return }
    if ($Names.Count -eq 0) { $Names = @(foreach ($Item in $Element.Schema.CollectionSchema.GetAddElementSchema($Element.Schema.CollectionSchema.AddElementNames.Split(',')[0]).AttributeSchemas) { if ($Item.IsUniqueKey -or $Item.IsCombinedKey) { $Item.Name } }) }
    for ($Index = $Collection.Count - 1; $Index -ge 0; $Index--) {
        $Title = Get-Title $Collection[$Index] $Names
        if ($Title -notin $Wanted) { Remove-Entry $Plan $Collection $Index $Wish $null $Prefix $Title }
    }
}
function Update-Element($Plan, $Element, $Wish, [string] $What, [bool] $Made) {
    Update-Settings $Plan $Element $Wish.set $What '' $Made ([string] $Wish.main)
    foreach ($Property in $Wish.in.PSObject.Properties) {
        $Child = $Element
        foreach ($Name in $Property.Name.Split('.')) {
            if ($null -ne $Child) { if ($null -eq (Find-Schema $Child.Schema.ChildElementSchemas $Name)) { $Child = $null } else { $Child = $Child.GetChildElement($Name) } }
        }
        if ($null -eq $Child -or $null -eq $Child.Schema.CollectionSchema) { [void] $Plan.problems.Add("$What has no collection $($Property.Name) in the IIS of $($env:COMPUTERNAME).") }
        else { Update-Items $Plan $Child $Property.Value $What $Made }
    }
    if ($Wish.items -or $Wish.only) { Update-Items $Plan $Element $Wish $What $Made }
}
function Remove-Entry($Plan, $Collection, [int] $Index, $Wish, $Want, [string] $Prefix, [string] $Title) {
    $Old = ''
    if ($Want.main) { $Attribute = $Collection[$Index].GetAttribute($Want.main); $Old = Format-Setting $Attribute.Schema $Attribute.Value }
    $Collection.RemoveAt($Index)
    if ($Wish.secret) { Add-Change $Plan "$Prefix$($Wish.list) $Title" '***' $null }
    elseif ($Want.main) { Add-Change $Plan "$Prefix$($Wish.list) $Title" $Old $null }
    elseif ($Wish.list) { Add-Change $Plan "$Prefix$($Wish.list)" $Title $null }
    elseif ($null -ne $Want) { Add-Change $Plan "$Prefix$($Want.what)" 'present' $null }
    else { Add-Change $Plan "$Prefix$Title" 'present' $null }
}
function Get-Highest($Collection, [string] $Name) {
    $Highest = [long] 0
    foreach ($Item in $Collection) { $Highest = [Math]::Max($Highest, [long] $Item.GetAttributeValue($Name)) }
    $Highest
}
function New-RandomText {
    $Bytes = New-Object byte[] 48
    (New-Object Security.Cryptography.RNGCryptoServiceProvider).GetBytes($Bytes)
    [Convert]::ToBase64String($Bytes)
}
# Whether this IIS knows an element of a section's items. $Where: section, tag, child.
function Test-Known($Configuration, $Where) {
    $Schema = $Configuration.GetSection($Where.section).Schema.CollectionSchema.GetAddElementSchema($Where.tag)
    $null -ne (Find-Schema $Schema.ChildElementSchemas $Where.child)
}
# Whether applicationHost.config (where shared configuration has it) says something of a section for a path.
function Test-Stored([string] $Section, [string] $Location) {
    $Folder = [IO.Path]::Combine([Environment]::SystemDirectory, 'inetsrv\config')
    $Document = New-Object Xml.XmlDocument
    $Document.Load([IO.Path]::Combine($Folder, 'redirection.config'))
    $Shared = $Document.SelectSingleNode('/configuration/configurationRedirection')
    if ($null -ne $Shared -and $Shared.GetAttribute('enabled') -eq 'true') { $Folder = [Environment]::ExpandEnvironmentVariables($Shared.GetAttribute('path')) }
    $Document.Load([IO.Path]::Combine($Folder, 'applicationHost.config'))
    foreach ($Node in $Document.SelectNodes('/configuration/location')) {
        if ($Node.GetAttribute('path').Trim('/') -eq $Location.Trim('/') -and $null -ne $Node.SelectSingleNode($Section)) { return $true }
    }
    $false
}
# Everything that is wanted of the configuration files. $Wish: sections (list of section, location, where (only if this IIS knows something or does not), what, override, revert, and an element's set, in and
# items), locations (paths whose settings go).
function Update-Configuration($Plan, $Configuration, $Wish) {
    foreach ($Part in $Wish.sections) {
        if ($Part.where -and (Test-Known $Configuration $Part.where) -ne $Part.where.known) { continue }
        if ($Part.problem) { [void] $Plan.problems.Add("$($Part.problem)"); continue }
        if ($Part.revert -and -not (Test-Stored $Part.section $Part.location)) { continue }
        $Section = $null
        $Name = "$($Part.section) $($Part.location)".TrimEnd()
        # A path below a site that is not there (yet) is refused.
        try { $Section = Get-Section $Configuration $Part.section $Part.location } catch [IO.FileNotFoundException] { if (-not $Part.location) { throw } }
        if ($null -eq $Section -and $Part.optional) { continue }
        if ($null -eq $Section) { if ($Name -notin $Plan.missing) { [void] $Plan.missing.Add($Name) }; continue }
        if ($Part.revert) {
            Add-Change $Plan $Part.what 'present' $null
            $Section.RevertToParent()
            continue
        }
        if ($Part.override) {
            $Old = [string] $Section.OverrideModeEffective
            if ($Part.override -eq 'Inherit') { $Old = [string] $Section.OverrideMode }
            if ($Old -ne $Part.override) {
                $Section.OverrideMode = [Microsoft.Web.Administration.OverrideMode] $Part.override
                Add-Change $Plan "$($Part.what) override mode" $Old $Part.override
            }
        }
        Update-Element $Plan $Section $Part ([string] $Part.what) $false
    }
    foreach ($Path in $Wish.locations) {
        foreach ($Location in @($Configuration.GetLocationPaths())) {
            if ($Location -eq $Path -or $Location.StartsWith("$Path/", [StringComparison]::OrdinalIgnoreCase)) {
                Add-Change $Plan "location $Location" 'present' $null
                $Configuration.RemoveLocationPath($Location)
            }
        }
    }
}
