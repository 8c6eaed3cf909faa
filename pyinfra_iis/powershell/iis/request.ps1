# A release in maintenance lets only those through who know the notice's token.
function Get-Probe([string] $Shared) {
    $Notice = [IO.Path]::Combine($Shared, 'maintenance.json')
    if ($Shared -and [IO.File]::Exists($Notice)) { (ConvertFrom-Json ([IO.File]::ReadAllText($Notice))).token } else { '1' }
}
# The beginning of what an error page says.
function Get-Body($Response) {
    try {
        $Reader = New-Object IO.StreamReader $Response.GetResponseStream()
        $Buffer = New-Object char[] 12000
        $Count = $Reader.ReadBlock($Buffer, 0, $Buffer.Length)
        New-Object string $Buffer, 0, $Count
    } catch { '' }
}
function Get-Response([string] $Address, [string] $HostName, [int] $Milliseconds, [string] $Probe) {
    # Windows PowerShell offers no more than TLS 1.0 by itself.
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    $Query = [Net.WebRequest]::Create($Address)
    $Query.Timeout = $Milliseconds
    $Query.ReadWriteTimeout = $Milliseconds
    $Query.AllowAutoRedirect = $false
    $Query.KeepAlive = $false
    $Query.Proxy = $null
    $Query.UserAgent = 'pyinfra-iis'
    $Query.Headers.Add('X-Release-Probe', $Probe)
    if ($HostName) { $Query.Host = $HostName }
    $Response = $null
    try {
        $Response = $Query.GetResponse()
        @{ status = [int] $Response.StatusCode; release = [string] $Response.Headers['X-Release']; problem = '' }
    } catch {
        $Cause = $_.Exception.GetBaseException()
        if ($Cause -is [Net.WebException] -and $null -ne $Cause.Response) {
            $Response = $Cause.Response
            @{ status = [int] $Response.StatusCode; release = [string] $Response.Headers['X-Release']; problem = ''; server = [string] $Response.Headers['Server']; body = (Get-Body $Response) }
        } else {
            @{ status = 0; release = ''; problem = $Cause.Message; failure = [string] $Cause.Status }
        }
    } finally {
        if ($null -ne $Response) { $Response.Close() }
    }
}
