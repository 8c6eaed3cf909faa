# Makes a hosted runner reachable over WinRM: an administrator of its own, an HTTPS listener with a certificate that the tests know, and their addresses in the environment.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

Enable-PSRemoting -SkipNetworkProfileCheck -Force | Out-Null

$Bytes = New-Object byte[] 18
[Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($Bytes)
$Password = 'Aa1!' + [Convert]::ToBase64String($Bytes)
Write-Output "::add-mask::$Password"
New-LocalUser -Name 'deploy' -Password (ConvertTo-SecureString $Password -AsPlainText -Force) -PasswordNeverExpires | Out-Null
Add-LocalGroupMember -SID 'S-1-5-32-544' -Member 'deploy'
# Without this, a local administrator other than the built-in one gets a filtered token over the network.
New-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System' -Name 'LocalAccountTokenFilterPolicy' -Value 1 -PropertyType DWord -Force | Out-Null

$Certificate = New-SelfSignedCertificate -DnsName 'localhost', $env:COMPUTERNAME -CertStoreLocation Cert:\LocalMachine\My
New-Item -Path WSMan:\localhost\Listener -Transport HTTPS -Address * -CertificateThumbPrint $Certificate.Thumbprint -Force | Out-Null
$Encoded = [Convert]::ToBase64String($Certificate.RawData, [Base64FormattingOptions]::InsertLineBreaks)
$Authority = Join-Path $env:RUNNER_TEMP 'winrm.pem'
[IO.File]::WriteAllText($Authority, "-----BEGIN CERTIFICATE-----`n$Encoded`n-----END CERTIFICATE-----`n")

@(
    'WINRM_TEST_HOST=localhost'
    'WINRM_TEST_USER=deploy'
    "WINRM_PASSWORD=$Password"
    "WINRM_TEST_CA=$Authority"
) | Out-File -FilePath $env:GITHUB_ENV -Encoding utf8 -Append
