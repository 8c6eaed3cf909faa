# Asks a site through each of its bindings, as a visitor on the server itself, and watches its processes meanwhile.
# $Request: site, application, folder (the site must have it), path, host (empty: the binding's), timeout (seconds for each), most (bindings).
# uses: diagnose/target
# uses: iis/request
# uses: diagnose/tail
if (-not [IO.File]::Exists($Library)) { return $null }
# Runs in a runspace of its own, so it is a text with parameters inside.
$Ask = {
    param($Query)
    $Answer = @{ status = 0; reason = ''; headers = @{}; body = ''; problem = ''; failure = '' }
    $Response = $null
    try { $Response = $Query.GetResponse() } catch {
        $Cause = $_.Exception.GetBaseException()
        $Failed = $_.Exception
        while ($null -ne $Failed -and -not ($Failed -is [Net.WebException])) { $Failed = $Failed.InnerException }
        if ($null -ne $Failed) { $Answer.failure = [string] $Failed.Status; $Response = $Failed.Response }
        if ($null -eq $Response) { $Answer.problem = $Cause.Message }
    }
    if ($null -ne $Response) {
        $Answer.failure = ''
        $Answer.status = [int] $Response.StatusCode
        $Answer.reason = [string] $Response.StatusDescription
        foreach ($Name in 'Server', 'Location', 'Retry-After', 'X-Release', 'Content-Type', 'WWW-Authenticate') { if ($Response.Headers[$Name]) { $Answer.headers[$Name] = [string] $Response.Headers[$Name] } }
        try {
            $Reader = New-Object IO.StreamReader $Response.GetResponseStream()
            $Buffer = New-Object char[] 12000
            $Count = $Reader.ReadBlock($Buffer, 0, $Buffer.Length)
            $Answer.body = New-Object string $Buffer, 0, $Count
        } catch { $Answer.problem = $_.Exception.GetBaseException().Message }
        $Response.Close()
    }
    $Answer
}
function Get-Processes([string] $Pool) {
    $Found = New-Object System.Collections.ArrayList
    $Workers = @{}
    $Look = New-ServerManager
    try { foreach ($Worker in $Look.ApplicationPools[$Pool].WorkerProcesses) { $Workers[[int] $Worker.ProcessId] = $true } } catch { } finally { $Look.Dispose() }
    $All = @(Get-CimInstance -ClassName Win32_Process)
    $Family = @{}
    foreach ($Number in @($Workers.Keys)) { $Family[$Number] = $true }
    for ($Level = 0; $Level -lt 5; $Level++) { foreach ($One in $All) { if ($Family.ContainsKey([int] $One.ParentProcessId)) { $Family[[int] $One.ProcessId] = $true } } }
    $Ports = @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue)
    foreach ($One in $All) {
        $Number = [int] $One.ProcessId
        if (-not $Family.ContainsKey($Number) -or $Workers.ContainsKey($Number)) { continue }
        $Listens = @(foreach ($Port in $Ports) { if ([int] $Port.OwningProcess -eq $Number) { @{ address = [string] $Port.LocalAddress; port = [int] $Port.LocalPort } } })
        [void] $Found.Add(@{ id = $Number; parent = [int] $One.ParentProcessId; name = [string] $One.Name; path = [string] $One.ExecutablePath; started = ([DateTime] $One.CreationDate).ToUniversalTime().ToString('s') + 'Z'; command = [string] $One.CommandLine; listens = [object[]] $Listens })
    }
    @{ workers = [object[]] @($Workers.Keys); processes = [object[]] $Found.ToArray() }
}
$Manager = New-ServerManager
$Target = Find-Target $Manager $Request
if ($null -eq $Target.application -or $Target.replaced) { return $null }
$Platform = Get-Platform $Manager $Target $Request
$Log = [string] $Platform['stdoutLogFile']
$Bindings = @(foreach ($Binding in $Target.site.Bindings) { @{ protocol = $Binding.Protocol; information = $Binding.BindingInformation } })
$Manager.Dispose()
$Before = Get-Positions $Log
$Answer = @{ began = [DateTime]::UtcNow.ToString('s') + 'Z'; requests = @(); seen = @(); fresh = @() }
$Seen = @{}
$Known = @{}
foreach ($Binding in $Bindings) {
    if ($Binding.protocol -ne 'http' -and $Binding.protocol -ne 'https') { continue }
    if ($Answer.requests.Count -ge $Request.most) { break }
    if (-not ($Binding.information -match '^(?<address>.*):(?<port>\d+):(?<host>[^:]*)$')) { continue }
    $Address = $Matches['address']
    $Port = $Matches['port']
    $Name = $Matches['host']
    if (-not $Address -or $Address -eq '*' -or $Address -eq '0.0.0.0') { $Address = 'localhost' }
    if ($Name.StartsWith('*.')) { $Name = 'www' + $Name.Substring(1) }
    if ($Request.host) { $Name = $Request.host }
    $HostName = ''
    if ($Name) { $HostName = "${Name}:$Port" }
    $Url = "$($Binding.protocol)://${Address}:$Port$($Request.path)"
    $Watch = [Diagnostics.Stopwatch]::StartNew()
    $Asker = [powershell]::Create()
    $Query = New-Query $Url $HostName ($Request.timeout * 1000)
    $Query.UserAgent = 'pyinfra-iis-diagnose'
    [void] $Asker.AddScript($Ask.ToString()).AddArgument($Query)
    $Pending = $Asker.BeginInvoke()
    while (-not $Pending.AsyncWaitHandle.WaitOne(500)) {
        $Look = Get-Processes $Target.pool_name
        foreach ($One in $Look.processes) { if (-not $Known.ContainsKey($One.id) -or $One.listens.Count -gt 0) { $Known[$One.id] = $true; $Seen[$One.id] = $One } }
    }
    $Got = $Asker.EndInvoke($Pending)[0]
    $Asker.Dispose()
    $Got.binding = "$($Binding.protocol)/$($Binding.information)"
    $Got.url = $Url
    $Got.host = $HostName
    $Got.certificate = [object[]] @(Get-SentFaults $Query $HostName)
    $Got.seconds = [Math]::Round($Watch.Elapsed.TotalSeconds, 1)
    $Answer.requests += $Got
    # The next binding would only wait as long again.
    if ($Got.failure -eq 'Timeout') { break }
}
$Answer.ended = [DateTime]::UtcNow.ToString('s') + 'Z'
$Answer.now = Get-Processes $Target.pool_name
$Answer.seen = [object[]] @($Seen.Values)
$Answer.fresh = Get-Fresh $Log $Before
$Answer.requests = [object[]] $Answer.requests
$Answer
