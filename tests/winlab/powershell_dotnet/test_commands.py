"""Cmdlets of Management, Security, Archive and CimCmdlets on a scratch server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from winlab.windows.machine import Machine

from .conftest import Run


def test_services(run: Run) -> None:
    lines = run("""
        (Get-Service -Name WinRM).Status
        Get-Service nosuch
        Stop-Service W32Time; (Get-Service W32Time).Status; Start-Service W32Time -PassThru | ForEach-Object Name
        Set-Service W32Time -StartupType Disabled; (Get-Service W32Time).StartType
        Stop-Service W32Time; Start-Service W32Time
    """)
    assert lines[:5] == [
        "Running",
        "! NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand: "
        "Cannot find any service with service name 'nosuch'.",
        "Stopped",
        "W32Time",
        "Disabled",
    ]
    assert lines[5].startswith(
        "! CouldNotStartService,Microsoft.PowerShell.Commands.StartServiceCommand: Service 'Windows Time (W32Time)'"
    )


def test_a_character_beyond_16_bits_in_json_reaches_programs_and_files(run: Run) -> None:
    lines = run(r"""
        $a = (ConvertFrom-Json '{"a": "x \ud83c\udf89", "b": "\ud83c"}')
        $a.a -ceq "x $([char]::ConvertFromUtf32(0x1f389))"; $a.b.Length
        [IO.File]::WriteAllText('C:\party.txt', $a.a); [IO.File]::ReadAllBytes('C:\party.txt') -join ' '
        cmd /c echo $a.a
    """)
    assert lines[:3] == ["True", "1", "120 32 240 159 142 137"]
    assert lines[3].startswith('"x ')


def test_processes(run: Run) -> None:
    lines = run("""
        (Get-Process -Name svchost | Select-Object -First 1).ProcessName
        Get-Process -Id 999999
        $i = New-Object Diagnostics.ProcessStartInfo 'cmd.exe', '/c echo hi& exit 5'
        $i.UseShellExecute = $false; $i.RedirectStandardOutput = $true
        $p = [Diagnostics.Process]::Start($i); $p.StandardOutput.ReadToEnd().Trim(); $p.WaitForExit(); $p.ExitCode
        $r = Start-Process cmd.exe '/c', 'echo out' -RedirectStandardOutput C:\\o.txt -Wait -PassThru; $r.ExitCode
        [IO.File]::ReadAllText('C:\\o.txt').Trim()
        Start-Process nosuch-program.exe
    """)
    assert lines[:6] == [
        "svchost",
        "! NoProcessFoundForGivenId,Microsoft.PowerShell.Commands.GetProcessCommand: "
        "Cannot find a process with the process identifier 999999.",
        "hi",
        "5",
        "0",
        "out",
    ]
    assert "InvalidOperationException,Microsoft.PowerShell.Commands.StartProcessCommand" in lines[6]


def test_a_process_without_window_has_a_console_of_its_own(run: Run) -> None:
    lines = run("""
        powershell -NoProfile -Command '
            [Console]::OutputEncoding = New-Object Text.UTF8Encoding
            foreach ($hidden in $false, $true) {
                $i = New-Object Diagnostics.ProcessStartInfo cmd.exe, ''/c chcp''
                $i.UseShellExecute = $false; $i.RedirectStandardOutput = $true; $i.CreateNoWindow = $hidden
                [Diagnostics.Process]::Start($i).StandardOutput.ReadToEnd().Trim()
            }'
    """)
    assert lines == ["Active code page: 65001", "Active code page: 437"]


def test_a_search_of_all_folders_goes_through_links(run: Run) -> None:
    lines = run("""
        [void](New-Item -ItemType Directory C:\\a, C:\\b); [IO.File]::WriteAllText('C:\\b\\f', 'x')
        [void](New-Item -ItemType Junction -Path C:\\a\\link -Value C:\\b)
        [IO.Directory]::GetFileSystemEntries('C:\\a', '*', 'AllDirectories')
        [IO.Directory]::GetFileSystemEntries('C:\\a', '*')
    """)
    assert lines == ["C:\\a\\link", "C:\\a\\link\\f", "C:\\a\\link"]


def test_event_log(run: Run) -> None:
    lines = run("""
        New-EventLog -LogName Application -Source LabTest
        Write-EventLog -LogName Application -Source LabTest -EventId 7 -EntryType Warning -Message 'hello'
        Get-EventLog Application -Source LabTest -Newest 1 | ForEach-Object { "$($_.EventID) $($_.EntryType) $($_.Message)" }
    """)
    assert lines == ["7 Warning hello"]


def test_wmi(run: Run) -> None:
    lines = run("""
        (Get-CimInstance Win32_OperatingSystem).Version
        (Get-WmiObject Win32_Service -Filter "Name='WinRM' AND State<>'Stopped'").StartMode
        (Get-CimInstance Win32_OperatingSystem).LastBootUpTime.GetType().Name
        (Get-WmiObject Win32_OperatingSystem).LastBootUpTime.GetType().Name
        (Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = 'cmd /c exit' }).ReturnValue
        Get-CimInstance NoSuchClass
        Get-CimInstance Win32_SoundDevice
    """)
    assert lines[:5] == ["10.0.14393", "Auto", "DateTime", "String", "0"]
    assert lines[5].startswith(
        "! HRESULT 0x80041010,Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
    )
    assert lines[6].startswith("? ")


def test_archives_and_secure_strings(run: Run) -> None:
    lines = run(r"""
        [void](New-Item -ItemType Directory C:\src); Set-Content C:\src\a.txt 'one'
        Compress-Archive -Path C:\src -DestinationPath C:\src.zip
        Compress-Archive -Path C:\src -DestinationPath C:\src.zip
        Expand-Archive C:\src.zip -DestinationPath C:\dst; Get-Content C:\dst\src\a.txt
        $s = ConvertTo-SecureString 'secret' -AsPlainText -Force
        $t = ConvertFrom-SecureString $s; $t -match 'secret'; (ConvertTo-SecureString $t).Length
        (New-Object PSCredential 'u', $s).GetNetworkCredential().Password
        Get-ExecutionPolicy
    """)
    assert lines[0].startswith("!")
    assert lines[0].partition(":")[0].endswith("ArchiveFileExists,Compress-Archive")
    assert lines[1:] == ["one", "False", "6", "secret", "RemoteSigned"]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404, "Not Found")
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/json")
            self.end_headers()
            return
        body = b'{"a":[1,2],"agent":"' + self.headers.get("User-Agent", "").encode()[:7] + b'"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def test_web_requests(run: Run, port: int) -> None:
    lines = run(f"""
        $u = 'http://localhost:{port}'
        (Invoke-RestMethod "$u/json").a -join ','
        (Invoke-WebRequest "$u/moved" -UseBasicParsing).StatusCode
        $r = [Net.WebRequest]::Create("$u/moved"); $r.AllowAutoRedirect = $false; [int]$r.GetResponse().StatusCode
        try {{ [Net.WebRequest]::Create("$u/missing").GetResponse() }} catch {{
            $e = $_.Exception.InnerException; $e.Message; $e.Status; [int]$e.Response.StatusCode }}
        (New-Object Net.WebClient).DownloadFile("$u/json", 'C:\\j.json'); (Get-Content C:\\j.json | ConvertFrom-Json).a.Count
        try {{ Invoke-WebRequest "$u/missing" -UseBasicParsing }} catch {{ $_.FullyQualifiedErrorId }}
    """)
    assert lines == [
        "1,2",
        "200",
        "302",
        "The remote server returned an error: (404) Not Found.",
        "ProtocolError",
        "404",
        "2",
        "WebCmdletWebResponseException,Microsoft.PowerShell.Commands.InvokeWebRequestCommand",
    ]


def test_certificates(run: Run) -> None:
    lines = run("""
        $c = New-SelfSignedCertificate -DnsName web01.test, www.test -CertStoreLocation Cert:\\LocalMachine\\My -FriendlyName site
        $c.Subject; $c.DnsNameList.Unicode -join ','; $c.EnhancedKeyUsageList.FriendlyName -join ','; $c.PSParentPath
        $p = ConvertTo-SecureString 'p@ss' -AsPlainText -Force
        $null = Export-PfxCertificate -Cert $c -FilePath C:\\c.pfx -Password $p
        $null = Export-Certificate -Cert "Cert:\\LocalMachine\\My\\$($c.Thumbprint)" -FilePath C:\\c.cer
        Get-ChildItem Cert:\\LocalMachine\\My | Where-Object FriendlyName -eq site | Remove-Item
        Test-Path "Cert:\\LocalMachine\\My\\$($c.Thumbprint)"
        (Import-PfxCertificate C:\\c.pfx Cert:\\LocalMachine\\My -Password $p).Thumbprint -eq $c.Thumbprint
        (Import-Certificate C:\\c.cer -CertStoreLocation Cert:\\LocalMachine\\Root).HasPrivateKey
        (Get-Item "cert:\\localmachine\\my\\$($c.Thumbprint)").HasPrivateKey
        Import-PfxCertificate C:\\c.pfx Cert:\\LocalMachine\\My -Password (ConvertTo-SecureString 'x' -AsPlainText -Force)
        New-SelfSignedCertificate -DnsName x -CertStoreLocation Cert:\\LocalMachine\\Root
    """)
    assert lines[:8] == [
        "CN=web01.test",
        "web01.test,www.test",
        "Client Authentication,Server Authentication",
        "Microsoft.PowerShell.Security\\Certificate::LocalMachine\\My",
        "False",
        "True",
        "False",
        "True",
    ]
    assert lines[8].startswith(
        "! System.ComponentModel.Win32Exception,Microsoft.CertificateServices.Commands.ImportPfxCertificate: The PFX file you are trying"
    )
    assert lines[9].endswith("A new certificate can only be installed into MY store.")


def test_local_accounts(run: Run) -> None:
    lines = run("""
        $p = ConvertTo-SecureString 'P@ssw0rd1' -AsPlainText -Force
        (New-LocalUser svc_app -Password $p -Description app).Enabled
        New-LocalUser svc_app -NoPassword
        Add-LocalGroupMember -Group IIS_IUSRS -Member svc_app
        Get-LocalGroupMember IIS_IUSRS | ForEach-Object { ($_.Name -split '\\\\')[1] }
        Add-LocalGroupMember IIS_IUSRS svc_app
        Remove-LocalGroupMember IIS_IUSRS nobody-here
        Disable-LocalUser svc_app; (Get-LocalUser svc_app).Enabled; (Get-LocalUser svc_app).SID.GetType().Name
        Get-LocalUser svc_app | Remove-LocalUser
        (Get-LocalGroupMember IIS_IUSRS).Count
        Get-LocalUser svc_app
    """)
    space = "Microsoft.PowerShell.Commands"
    assert lines[0:4] == [
        "True",
        f"! UserExists,{space}.NewLocalUserCommand: User svc_app already exists.",
        "IUSR",
        "svc_app",
    ]
    assert lines[4].startswith(f"! MemberExists,{space}.AddLocalGroupMemberCommand: ")
    assert lines[5:] == [
        f"! PrincipalNotFound,{space}.RemoveLocalGroupMemberCommand: Principal nobody-here was not found.",
        "False",
        "SecurityIdentifier",
        "1",
        f"! UserNotFound,{space}.GetLocalUserCommand: User svc_app was not found.",
    ]


def test_events_xml_and_sockets(run: Run) -> None:
    lines = run("""
        New-EventLog -LogName Application -Source MyApp
        Write-EventLog -LogName Application -Source MyApp -EventId 42 -EntryType Error -Message 'it broke'
        $q = @{LogName='Application'; ProviderName='MyApp'; Id=42; StartTime=(Get-Date).AddMinutes(-5)}
        Get-WinEvent -FilterHashtable $q | ForEach-Object { "$($_.Id) $($_.LevelDisplayName) $($_.Message)" }
        Get-WinEvent -LogName Nope
        Get-WinEvent -FilterHashtable @{LogName='Application'; Id=4711}
        ([xml]'<r xmlns="urn:x"><q>1</q></r>' | Select-Xml -XPath '//p:q' -Namespace @{p='urn:x'}).Node.InnerText
        Get-NetTCPConnection -LocalPort 9999
        (New-Guid).ToString().Length; (New-TemporaryFile).Length
    """)
    assert lines == [
        "42 Error it broke",
        "! NoMatchingLogsFound,Microsoft.PowerShell.Commands.GetWinEventCommand: "
        'There is not an event log on the localhost computer that matches "Nope".',
        "! NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand: "
        "No events were found that match the specified selection criteria.",
        "1",
        "! CmdletizationQuery_NotFound_LocalPort,Get-NetTCPConnection: No MSFT_NetTCPConnection objects found with property "
        "'LocalPort' equal to '9999'.  Verify the value of the property and retry.",
        "36",
        "0",
    ]


def test_data_files(run: Run) -> None:
    lines = run("""
        '@{ Sites = @( @{ Name = "a"; Port = 80 }, @{ Name = "b"; Port = -1; On = $true } ); One = @(1); List = 1, 2 }' |
            Set-Content C:\\c.psd1
        $d = Import-PowerShellDataFile C:\\c.psd1
        $d.Sites.Count; $d.sites[1].Port; $d.Sites[1].On; $d.One.GetType().Name; $d.List -join '+'
        '@{ a = Get-Date }' | Set-Content C:\\e.psd1
        Import-PowerShellDataFile C:\\e.psd1
        '$x' | Set-Content C:\\e.psd1
        Import-PowerShellDataFile C:\\e.psd1
    """)
    assert lines[:5] == ["2", "-1", "True", "Object[]", "1+2"]
    assert lines[5].startswith("! InvalidOperationException,Import-PowerShellDataFile: ")
    assert lines[6].startswith("! CouldNotParseAsPowerShellDataFileNoHashtableRoot,Import-PowerShellDataFile: ")


def test_the_filters_of_a_firewall_rule(run) -> None:
    assert run(r"""
        $r = New-NetFirewallRule -Name web -DisplayName Web -Protocol TCP -LocalPort 80,443 -RemoteAddress 10.0.0.0/8,192.0.2.7 -Program 'C:\a.exe'
        ($r | Get-NetFirewallAddressFilter).RemoteAddress -join ' '
        ($r | Get-NetFirewallAddressFilter).LocalAddress
        (Get-NetFirewallRule -Name web | Get-NetFirewallApplicationFilter).Program
        ($r | Get-NetFirewallServiceFilter).Service
        Remove-NetFirewallRule -Name web
        """) == ["10.0.0.0/255.0.0.0 192.0.2.7", "Any", r"C:\a.exe", "Any"]


def test_without_its_service_the_firewall_tells_nothing(run) -> None:
    assert run(r"""
        Stop-Service MpsSvc
        try { Get-NetFirewallRule -Name x -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }
        Start-Service MpsSvc
        """) == ["Windows System Error 1753,Get-NetFirewallRule"]


@pytest.mark.parametrize(
    ("script", "first"),
    [
        ("Set-Service -DisplayName x", "! MissingMandatoryParameter,"),
        ("1 | Set-Variable", "! MissingMandatoryParameter,"),
        ("1 | Get-NetFirewallAddressFilter", "! CannotConvertArgument,"),
        ("New-LocalGroup 'a/b'", "! InvalidName,"),
        ("Invoke-CimMethod -InputObject 1 -MethodName x", "! CannotConvertArgument,"),
        ("Invoke-WebRequest -Method Nope http://localhost/", "! CannotConvertArgumentNoMessage,"),
        ("New-SelfSignedCertificate -KeyAlgorithm $null -DnsName a | % { $_.HasPrivateKey }", "True"),
    ],
)
def test_what_commands_say_to_what_they_cannot_take(run: Run, script: str, first: str) -> None:
    assert run(script)[0].startswith(first)


def test_events_of_a_source_that_is_not_registered_have_no_words(run: Run, server: Machine) -> None:
    server.eventlog.write("Application", "Nobody", 1000, "Error", "what it said")
    lines = run("""
        $e = Get-WinEvent -FilterHashtable @{ LogName = 'Application'; StartTime = (Get-Date).AddHours(-1) } | Where-Object ProviderName -eq 'Nobody'
        "[$($e.Message)] $($e.Properties[0].Value) [$($e.FormatDescription())]"
        Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'Nobody' }
        (Get-EventLog Application -Source Nobody).Message
        New-EventLog -LogName Application -Source Nobody
        (Get-WinEvent -ProviderName Nobody).Message
    """)
    assert lines == [
        "[] what it said []",
        "! NoMatchingProvidersFound,Microsoft.PowerShell.Commands.GetWinEventCommand: "
        'There is not an event provider on the localhost computer that matches "Nobody".',
        "The description for Event ID '1000' in Source 'Nobody' cannot be found.  The local computer may not have the necessary registry information "
        "or message DLL files to display the message, or you may not have permission to access them.  "
        "The following information is part of the event:'what it said'",
        "what it said",
    ]


def test_nobody_learns_when_a_protected_process_started(run: Run) -> None:
    lines = run("""
        foreach ($n in 'csrss', 'svchost') { $p = @(Get-Process $n)[0]; "$n $($null -eq $p.StartTime) $($p.Id -gt 0)" }
    """)
    assert lines == ["csrss True True", "svchost False True"]
