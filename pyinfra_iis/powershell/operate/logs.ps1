# The ends of an application's logs, or what has come since the position of an earlier answer. $Request: root, site, pool, lines, seconds, since, bytes, status, position, follow; see the fact Logs.
# uses: iis/server_manager
# uses: operate/read_log
# uses: diagnose/event_text
$Now = [DateTime]::UtcNow
$Since = [DateTime]::MinValue
if ($Request.since) { $Since = [DateTime]::Parse($Request.since, [Globalization.CultureInfo]::InvariantCulture, [Globalization.DateTimeStyles] 'AdjustToUniversal, AssumeUniversal') }
elseif ($Request.seconds) { $Since = $Now.AddSeconds(-$Request.seconds) }
$Problems = New-Object System.Collections.ArrayList
$Files = New-Object System.Collections.ArrayList
$Known = New-Object System.Collections.ArrayList

# Where logs are: the process's own and the application's, the site's requests, and what HTTP.sys answered by itself.
$Shared = [IO.Path]::Combine($Request.root, 'shared\logs')
$SiteId = 0
$Ports = @()
$Kinds = New-Object System.Collections.ArrayList
[void] $Kinds.Add(@{ source = 'stdout'; folder = $Shared; filter = 'stdout*'; pattern = '' })
[void] $Kinds.Add(@{ source = 'log'; folder = $Shared; filter = '*'; pattern = '' })
if ([IO.File]::Exists($Library)) {
    $Manager = New-ServerManager
    try {
        $Site = Find-Item $Manager.GetApplicationHostConfiguration().GetSection('system.applicationHost/sites').GetCollection() 'name' $Request.site
        if ($null -ne $Site) {
            $SiteId = [long] $Site.GetAttributeValue('id')
            $Ports = @(foreach ($Binding in $Site.GetCollection('bindings')) { ([string] $Binding.GetAttributeValue('bindingInformation')) -replace '^.*:(\d+):[^:]*$', '$1' })
            $Log = $Site.GetChildElement('logFile')
            $Folder = [Environment]::ExpandEnvironmentVariables([string] $Log.GetAttributeValue('directory'))
            $Digits = '[' + [int] [Math]::Floor($Request.status / 100) + '-9]'
            if ($Log.GetAttributeValue('enabled')) { [void] $Kinds.Add(@{ source = 'requests'; folder = [IO.Path]::Combine($Folder, "W3SVC$SiteId"); filter = '*.log'; pattern = $Digits }) }
            [void] $Kinds.Add(@{ source = 'http.sys'; folder = [IO.Path]::Combine([Environment]::SystemDirectory, 'LogFiles\HTTPERR'); filter = 'httperr*.log'; pattern = '*' })
        }
    } catch { [void] $Problems.Add('IIS: ' + $_.Exception.GetBaseException().Message) }
    $Manager.Dispose()
}

foreach ($Kind in $Kinds) {
    if (-not [IO.Directory]::Exists($Kind.folder)) { continue }
    $Options = @{ Lines = $Request.lines; Bytes = $Request.bytes; Whole = [bool] $Request.follow; Pattern = $Kind.pattern }
    $Paths = @([IO.Directory]::GetFiles($Kind.folder, $Kind.filter) | Where-Object { $Kind.source -ne 'log' -or -not [IO.Path]::GetFileName($_).StartsWith('stdout', [StringComparison]::OrdinalIgnoreCase) })
    $Taken = @{}
    try {
        if ($null -ne $Request.position) {
            $Options.Lines = 0
            foreach ($Old in $Request.position.files) {
                if ($Old.source -ne $Kind.source) { continue }
                $Found = ''
                foreach ($Path in (@($Old.path) + $Paths)) {
                    if (-not $Taken.ContainsKey($Path) -and $Paths -contains $Path -and (Test-Head $Path $Old)) { $Found = $Path; break }
                }
                if (-not $Found) { continue }
                $Taken[$Found] = $true
                $Part = Read-Log $Kind.source $Found $Options $Old.at $Old.fields
                [void] $Known.Add($Part.known)
                if ($Part.file.text) { [void] $Files.Add($Part.file) }
            }
            # New: made since the last question, or of the name of one that was followed and is another now.
            $Before = [DateTime]::Parse($Request.position.time, [Globalization.CultureInfo]::InvariantCulture, [Globalization.DateTimeStyles] 'AdjustToUniversal, AssumeUniversal')
            $Names = @(foreach ($Old in $Request.position.files) { $Old.path })
            foreach ($Path in $Paths) {
                if ($Taken.ContainsKey($Path)) { continue }
                if ($Names -notcontains $Path -and [IO.File]::GetCreationTimeUtc($Path) -lt $Before) { continue }
                $Part = Read-Log $Kind.source $Path $Options 0 ''
                [void] $Known.Add($Part.known)
                if ($Part.file.text) { [void] $Files.Add($Part.file) }
            }
        } else {
            $Newest = @($Paths | ForEach-Object { New-Object IO.FileInfo $_ } | Sort-Object { [Math]::Max($_.LastWriteTimeUtc.Ticks, $_.CreationTimeUtc.Ticks) } -Descending)
            $Count = 0
            foreach ($File in $Newest) {
                # The newest three in any case: Windows notes late when a file was written that is still open.
                $Count += 1
                if ($Count -gt 3 -and ($Count -gt 20 -or $Since -eq [DateTime]::MinValue -or $File.LastWriteTimeUtc -lt $Since)) { break }
                $Part = Read-Log $Kind.source $File.FullName $Options 0 ''
                if ($Request.follow) { [void] $Known.Add($Part.known) }
                if ($Part.file.text) { [void] $Files.Add($Part.file) }
            }
        }
    } catch { [void] $Problems.Add($Kind.source + ': ' + $_.Exception.GetBaseException().Message) }
}

# Events name the pool, the site's path in the configuration, or a file of the application; those about IIS as a whole name nothing.
$Events = New-Object System.Collections.ArrayList
$From = $Since
if ($null -ne $Request.position) { $From = New-Object DateTime ([long] $Request.position.ticks), ([DateTimeKind]::Utc) }
elseif ($Since -eq [DateTime]::MinValue) { $From = $Now.AddDays(-1) }
$Last = $From.Ticks
$Names = @($Request.pool, $Request.site, $Request.root) | Sort-Object -Unique
$Mention = (@(foreach ($Name in $Names) { '(?<![\w.-])' + [regex]::Escape($Name) + '(?![\w-])' }) -join '|')
$Everybody = 'WAS', 'W3SVC', 'Microsoft-Windows-WAS', 'Microsoft-Windows-IIS-W3SVC', 'HTTP', 'Microsoft-Windows-HttpService'
try {
    $Found = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application', 'System'; StartTime = $From.ToLocalTime() } -MaxEvents 1000 -ErrorAction SilentlyContinue)
    foreach ($Item in ($Found | Sort-Object TimeCreated, RecordId)) {
        $Time = $Item.TimeCreated.ToUniversalTime()
        if ($null -ne $Request.position -and $Time.Ticks -le $From.Ticks) { continue }
        if ($Time.Ticks -gt $Last) { $Last = $Time.Ticks }
        $Level = [int] $Item.Level
        $Text = Get-EventText $Item
        $General = $Everybody -contains $Item.ProviderName -and $Level -in 1, 2 -and $Text -notmatch "'"
        # HttpPlatformHandler names an application only where it failed.
        $Nameless = $Item.ProviderName -like '*HttpPlatformHandler*' -and $Text -notmatch 'MACHINE/WEBROOT'
        if (-not $General -and -not $Nameless -and $Text -notmatch $Mention) { continue }
        [void] $Events.Add(@{ log = $Item.LogName; source = $Item.ProviderName; id = [int] $Item.Id; level = $Level; time = $Time.ToString('o'); message = $Text })
    }
    if ($Request.lines -and $null -eq $Request.position -and $Events.Count -gt $Request.lines) { $Events.RemoveRange(0, $Events.Count - $Request.lines) }
} catch { [void] $Problems.Add('event log: ' + $_.Exception.GetBaseException().Message) }
@{
    now = $Now.ToString('o'); site_id = $SiteId; ports = [object[]] $Ports; files = [object[]] $Files.ToArray(); events = [object[]] $Events.ToArray(); problems = [object[]] $Problems.ToArray()
    position = @{ time = $Now.ToString('o'); ticks = $Last; files = [object[]] $Known.ToArray() }
}
