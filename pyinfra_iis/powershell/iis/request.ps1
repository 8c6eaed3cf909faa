# uses: iis/certificate_faults
# A release in maintenance lets only those through who know the notice's token.
function Get-Probe([string] $Shared) {
    $Notice = [IO.Path]::Combine($Shared, 'maintenance.json')
    if ($Shared -and [IO.File]::Exists($Notice)) { (ConvertFrom-Json ([IO.File]::ReadAllText($Notice))).token } else { '1' }
}
# A request to the server's own site. The site is asked, not its certificate: each one is taken, and judged afterwards. A compiled function says so,
# because a script block runs only on a thread with a runspace.
function New-Query([string] $Address, [string] $HostName, [int] $Milliseconds) {
    # Windows PowerShell offers no more than TLS 1.0 by itself; 0 leaves the choice to Windows.
    $Offered = [Net.ServicePointManager]::SecurityProtocol
    if ([int] $Offered) { [Net.ServicePointManager]::SecurityProtocol = $Offered -bor [Net.SecurityProtocolType]::Tls12 }
    $Query = [Net.WebRequest]::Create($Address)
    $Query.Timeout = $Milliseconds
    $Query.ReadWriteTimeout = $Milliseconds
    $Query.AllowAutoRedirect = $false
    $Query.KeepAlive = $false
    $Query.Proxy = $null
    $Query.UserAgent = 'pyinfra-iis'
    # The name that is asked for by SNI is this one, too.
    if ($HostName) { $Query.Host = $HostName }
    $Types = [object], [Security.Cryptography.X509Certificates.X509Certificate], [Security.Cryptography.X509Certificates.X509Chain], [Net.Security.SslPolicyErrors]
    $Parameters = [Linq.Expressions.ParameterExpression[]] @(foreach ($Type in $Types) { [Linq.Expressions.Expression]::Parameter($Type) })
    $Yes = [Linq.Expressions.Expression]::Constant($true)
    $Query.ServerCertificateValidationCallback = [Linq.Expressions.Expression]::Lambda([Net.Security.RemoteCertificateValidationCallback], $Yes, $Parameters).Compile()
    $Query
}
# What visitors may be warned of with the certificate that a site has sent.
function Get-SentFaults($Query, [string] $HostName) {
    $Sent = $null
    if ($Query.RequestUri.Scheme -eq 'https') { $Sent = $Query.ServicePoint.Certificate }
    if ($null -eq $Sent) { return }
    try { Get-CertificateFaults (New-Object Security.Cryptography.X509Certificates.X509Certificate2 $Sent) $HostName.Split(':')[0] }
    catch { "cannot be judged: $($_.Exception.GetBaseException().Message)" }
}
# $Look may add to the answer what a failure's page tells.
function Get-Response([string] $Address, [string] $HostName, [int] $Milliseconds, [string] $Probe, [scriptblock] $Look) {
    $Query = New-Query $Address $HostName $Milliseconds
    $Query.Headers.Add('X-Release-Probe', $Probe)
    $Answer = @{ status = 0; release = ''; problem = ''; certificate = [object[]] @() }
    $Response = $null
    try { $Response = $Query.GetResponse() } catch {
        $Cause = $_.Exception.GetBaseException()
        if ($Cause -is [Net.WebException]) { $Response = $Cause.Response }
        if ($null -eq $Response) { $Answer.problem = $Cause.Message; $Answer.failure = [string] $Cause.Status }
        elseif ($Look) { & $Look $Response $Answer }
    }
    if ($null -ne $Response) {
        $Answer.status = [int] $Response.StatusCode
        $Answer.release = [string] $Response.Headers['X-Release']
        $Answer.certificate = [object[]] @(Get-SentFaults $Query $HostName)
        $Response.Close()
    }
    $Answer
}
