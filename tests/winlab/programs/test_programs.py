"""The programs of System32."""

from __future__ import annotations

import csv
import hashlib
import io

import pytest

from winlab.windows import template
from winlab.windows.processes import find_program


def test_every_program_of_the_template_is_registered() -> None:
    for name in template.PROGRAMS:
        if name not in ("powershell",):
            assert find_program(name) is not None, name


def test_hostname(run) -> None:
    assert run("hostname").out == "SRV1\n"
    assert run("hostname /x").code == 1


def test_whoami(run) -> None:
    assert run("whoami").out == "srv1\\administrator\n"
    sid = run.machine.accounts.token("Administrator").sid
    assert run("whoami /user /fo csv /nh").out == f'"srv1\\administrator","{sid}"\n'
    groups = list(csv.DictReader(io.StringIO(run("whoami /groups /fo csv").out)))
    assert {"SID": "S-1-5-32-544", "Group Name": "BUILTIN\\Administrators"}.items() <= groups[1].items()
    assert "SeTakeOwnershipPrivilege" in run("whoami /priv").out
    pool = run.machine.accounts.token("IIS AppPool\\web")
    assert "SeTakeOwnershipPrivilege" not in run("whoami /priv", user=pool).out
    assert run("whoami", user=pool).out == "iis apppool\\web\n"
    assert run("whoami /nonsense").code == 1
    assert all(
        title in run("whoami /all").out for title in ("USER INFORMATION", "GROUP INFORMATION", "PRIVILEGES INFORMATION")
    )


def test_network(run) -> None:
    assert "IPv4 Address. . . . . . . . . . . : 127.0.0.1" in run("ipconfig").out
    assert "Host Name . . . . . . . . . . . . : SRV1" in run("ipconfig /all").out
    assert run("ipconfig /renew").code == 1
    assert "Received = 1" in run("ping -n 1 srv1").out
    assert run("ping -n 1 host.invalid").code == 1
    assert "Active Connections" in run("netstat -ano").out


def test_systeminfo(run) -> None:
    lines = dict(line.split(":", 1) for line in run("systeminfo").out.splitlines() if ":" in line)
    assert lines["OS Name"].strip() == "Microsoft Windows Server 2016 Standard"
    record = next(csv.DictReader(io.StringIO(run("systeminfo /fo csv").out)))
    assert record["Host Name"] == "SRV1"


def test_where(run) -> None:
    assert run("where cmd").out == "C:\\Windows\\System32\\cmd.exe\n"
    assert (run("where nosuch").code, run("where /q cmd").code) == (1, 0)
    assert "C:\\Windows\\System32\\hostname.exe" in run("where /r C:\\Windows host*.exe").out


def test_tasks(run) -> None:
    rows = list(csv.reader(io.StringIO(run('tasklist /fo csv /nh /fi "imagename eq lsass.exe"').out)))
    assert len(rows) == 1 and rows[0][0] == "lsass.exe"
    assert "W32Time" in run("tasklist /svc").out or run.machine.services.get("W32Time").process is None
    assert run('tasklist /fi "pid eq 999999"').out == "INFO: No tasks are running which match the specified criteria.\n"
    process = run.machine.processes.start("ping -n 60 127.0.0.1", user=run.machine.accounts.token("Administrator"))
    assert run(f"taskkill /pid {process.pid}").code == 1 and process.alive
    assert run(
        "taskkill /f /im PING.EXE"
    ).out == f'SUCCESS: The process "PING.EXE" with PID {process.pid} has been terminated.\n'.replace(
        "PING.EXE", process.name
    )
    assert not process.alive
    assert run("taskkill /f /im ping.exe").code == 128
    assert run("taskkill /f /pid 4").code == 1


def test_sc(run) -> None:
    assert "STATE              : 4  RUNNING" in run("sc query w32time").out
    assert run("sc stop w32time").code == 0
    assert run("sc stop w32time").code == 1062
    assert run("sc config w32time start= disabled").out == "[SC] ChangeServiceConfig SUCCESS\n"
    assert run("sc start w32time").code == 1058
    assert run("sc query nosuch").code == 1060
    assert run('sc create app binPath= C:\\app.exe start= auto DisplayName= "My App"').code == 0
    assert "AUTO_START" in run("sc qc app").out and "My App" in run("sc qc app").out
    assert run("sc create app binPath= x").code == 1073
    assert run("sc delete app").code == 0
    assert run("sc triggerinfo app").code == 1639
    pool = run.machine.accounts.token("IIS AppPool\\web")
    assert run("sc stop winmgmt", user=pool).code == 5


def test_net(run) -> None:
    assert "Windows Time" in run("net start").out
    assert run("net stop w32time").code == 0
    result = run("net stop w32time")
    assert (result.code, result.err) == (
        2,
        "The Windows Time service is not started.\n\nMore help is available by typing NET HELPMSG 3521.\n\n",
    )
    assert run('net start "Windows Time"').code == 0
    assert run("net user deploy P@ssw0rd /add").code == 0
    assert run.machine.accounts.logon("deploy", "P@ssw0rd")
    assert run("net user deploy P@ssw0rd /add").code == 2
    assert run("net localgroup Administrators deploy /add").code == 0
    assert "deploy\n" in run("net localgroup Administrators").out
    assert run("net localgroup Administrators deploy /delete").code == 0
    assert run("net user deploy /delete").code == 0
    assert run("net user nobody").code == 2
    assert run("net use").code == 1


def test_icacls_shows_and_grants(run) -> None:
    run.machine.fs.mkdir("C:\\site")
    assert (
        run('icacls C:\\site /grant "IIS_IUSRS:(OI)(CI)RX" /grant:r Guests:(R,W)').out
        == "processed file: C:\\site\nSuccessfully processed 1 files; Failed to process 0 files\n"
    )
    shown = run("icacls C:\\site").out
    assert shown.splitlines()[0] == "C:\\site BUILTIN\\Guests:(R,W)"
    assert "        BUILTIN\\IIS_IUSRS:(OI)(CI)(RX)\n" in shown
    assert "        BUILTIN\\Administrators:(I)(OI)(CI)(F)\n" in shown
    assert "CREATOR OWNER:(I)(OI)(CI)(IO)(F)" in shown
    assert shown.endswith("\n\nSuccessfully processed 1 files; Failed to process 0 files\n")
    run.machine.fs.write_bytes("C:\\site\\f", b"")
    assert "BUILTIN\\IIS_IUSRS:(I)(RX)" in run("icacls C:\\site\\f").out


def test_icacls_changes(run) -> None:
    fs = run.machine.fs
    fs.mkdir("C:\\site\\sub", parents=True)
    run("icacls C:\\site /inheritance:r /grant:r Administrators:(OI)(CI)F *S-1-5-18:(OI)(CI)F")
    assert [ace.sid for ace in fs.get_acl("C:\\site").aces] == ["S-1-5-18", "S-1-5-32-544"]
    assert all(ace.inherited for ace in fs.get_acl("C:\\site\\sub").aces)
    run("icacls C:\\site /deny Guests:W")
    assert "BUILTIN\\Guests:(DENY)(W)" in run("icacls C:\\site").out
    run("icacls C:\\site /remove Guests /setowner Administrators /t /q")
    assert "Guests" not in run("icacls C:\\site").out and fs.get_acl("C:\\site\\sub").owner == "S-1-5-32-544"
    run("icacls C:\\site /inheritance:e")
    assert "BUILTIN\\Users:(I)(OI)(CI)(RX)" in run("icacls C:\\site").out
    run("icacls C:\\site /reset")
    assert not fs.get_acl("C:\\site").explicit


def test_icacls_errors(run) -> None:
    run.machine.fs.mkdir("C:\\site")
    result = run('icacls C:\\site /grant "IIS AppPool\\nope:RX"')
    assert (
        result.code == 1332
        and result.err == "IIS AppPool\\nope: No mapping between account names and security IDs was done.\n"
    )
    assert run("icacls C:\\nope").code == 2
    assert run("icacls C:\\site /grant Guests:Q").code == 87
    assert run("icacls C:\\site /save acls.txt").code == 87
    pool = run.machine.accounts.token("IIS AppPool\\web")
    assert run("icacls C:\\site /grant Everyone:F", user=pool).code == 5


def test_netsh_http(run) -> None:
    made = run.machine.certificates.create_self_signed(["www"])
    add = "netsh http add sslcert ipport=0.0.0.0:443 certhash={} appid={{4dc3e181-e14b-4a21-b022-59fc669b0914}}"
    assert "Error: 1312" in run(add.format("00" * 20)).out
    assert run(add.format(made.thumbprint)).out == "\nSSL Certificate successfully added\n\n"
    assert "Error: 183" in run(add.format(made.thumbprint)).out
    assert made.thumbprint.lower() in run("netsh http show sslcert ipport=0.0.0.0:443").out
    assert run("netsh http delete sslcert ipport=0.0.0.0:443").code == 0
    assert run("netsh http delete sslcert ipport=0.0.0.0:443").code == 1
    assert run("netsh http add urlacl url=http://+:8000/ user=Everyone").code == 0
    assert "http://+:8000/" in run("netsh http show urlacl").out
    assert run("netsh winsock reset").code == 1


def test_netsh_firewall(run) -> None:
    assert (
        run('netsh advfirewall firewall add rule name="web" dir=in action=allow protocol=TCP localport=8080').out
        == "Ok.\n\n"
    )
    assert run.machine.firewall.allows(8080)
    assert "LocalPort:                            8080" in run("netsh advfirewall firewall show rule name=web").out
    assert (
        "Updated 1 rule"
        in run("netsh advfirewall firewall set rule name=web new remoteip=10.0.0.0/8,LocalSubnet enable=no").out
    )
    assert run.machine.firewall.by_display_name("web")[0].remote_address == ["10.0.0.0/255.0.0.0", "LocalSubnet"]
    assert not run.machine.firewall.allows(8080)
    assert run("netsh advfirewall firewall set rule name=web remoteip=any").code == 1
    assert run("netsh advfirewall firewall delete rule name=web").code == 0
    assert run("netsh advfirewall firewall delete rule name=web").code == 1


def test_reg(run) -> None:
    assert run("reg add HKLM\\SOFTWARE\\Acme /v Size /t REG_DWORD /d 0x10 /f").code == 0
    assert (
        run("reg query HKLM\\Software\\acme /v size").out
        == "\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\n    Size    REG_DWORD    0x10\n\n"
    )
    assert run("reg add HKLM\\SOFTWARE\\Acme\\Sub /ve /d text").code == 0
    assert "HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\Sub\n" in run("reg query HKLM\\SOFTWARE\\Acme").out
    assert "(Default)    REG_SZ    text" in run("reg query HKLM\\SOFTWARE\\Acme /s").out
    assert run("reg query HKLM\\SOFTWARE\\Acme /v nope").code == 1
    assert run("reg delete HKLM\\SOFTWARE\\Acme /v Size /f").code == 0
    assert run("reg delete HKLM\\SOFTWARE\\Acme /f").code == 0
    assert (
        run("reg query HKLM\\SOFTWARE\\Acme").err
        == "ERROR: The system was unable to find the specified registry key or value.\n"
    )
    assert run("reg export HKLM\\SOFTWARE x.reg").code == 1
    assert run("reg query NOHIVE\\x").code == 1


def test_wevtutil(run) -> None:
    run.machine.eventlog.write("Application", "MyApp", 1000, "Error", "first")
    run.machine.eventlog.write("Application", "MyApp", 1001, "Information", "second")
    assert "second" in run("wevtutil qe Application /c:1 /rd:true /f:text").out
    query = "\"/q:*[System[Provider[@Name='MyApp'] and (EventID=1000)]]\""
    assert (
        "first" in run(f"wevtutil qe Application {query}").out
        and "second" not in run(f"wevtutil qe Application {query}").out
    )
    assert run('wevtutil qe Application "/q:*[System[TimeCreated[x]]]"').code == 15001
    assert run("wevtutil qe Nope").code == 15007
    assert run("wevtutil cl Application").code == 0 and not run.machine.eventlog.entries("Application")


def test_filters(run) -> None:
    run.machine.fs.write_text("C:\\work\\t.txt", "alpha\r\nBeta\r\ngamma 12\r\n")
    assert run('findstr /i "beta gamma" t.txt').out == "Beta\ngamma 12\n"
    assert run('findstr /c:"gamma 12" /n t.txt').out == "3:gamma 12\n"
    assert run('findstr /r "^[a-b].*a$" t.txt').out == "alpha\n"
    assert run("findstr /v a t.txt").code == 1
    assert run('find /i "BETA" t.txt').out == "\n---------- T.TXT\nBeta\n"
    assert run('find /c "a"', stdin="a\nb\nca\n").out == "2\n"
    assert run("sort /r t.txt").out == "gamma 12\nBeta\nalpha\n"
    assert run("more", stdin="x\ny\n").out == "x\ny\n"
    assert run("findstr x nosuch").code == 1 and run("findstr /q x t.txt").code == 2


def test_certutil(run) -> None:
    run.machine.fs.write_bytes("C:\\work\\f", b"data")
    assert hashlib.sha256(b"data").hexdigest() in run("certutil -hashfile f SHA256").out
    assert run("certutil -encode f g").code == 0 and run("certutil -decode g h").code == 0
    assert run.machine.fs.read_bytes("C:\\work\\h") == b"data"
    assert run("certutil -hashfile nosuch").code == -2147024894
    assert run("certutil -urlcache x").code != 0


def test_files(run) -> None:
    fs = run.machine.fs
    fs.mkdir("C:\\work\\a\\b", parents=True)
    fs.write_bytes("C:\\work\\a\\b\\f", b"x")
    assert run("xcopy a copy /s /i /q").out == "1 File(s) copied\n" and fs.is_file("C:\\work\\copy\\b\\f")
    assert run("xcopy nosuch copy").code == 4
    run("attrib +r +h a\\b\\f")
    assert run("attrib a\\b\\f").out.startswith("A   HR ")
    assert run("cmd /c del a\\b\\f").err.endswith("Could Not Find C:\\work\\a\\b\\f\n")
    assert run("takeown /f a /r").code == 0


def test_settings(run) -> None:
    assert run("cmd /c chcp 65001 & chcp").out == "Active code page: 65001\nActive code page: 65001\n"
    assert run("chcp 99").code == 1
    assert run("setx /m GREETING hello").code == 0 and run("cmd /c echo %GREETING%").out == "hello\n"
    assert run("timeout /t 0").code == 1
    assert run("shutdown /a").code == 1116
    assert run("shutdown /r /t 600").code == 0 and run("shutdown /a").code == 0


def test_iisreset(run) -> None:
    assert run("iisreset").code == 1060
    run.machine.features.install(["Web-Server"])
    assert "successfully restarted" in run("iisreset").out
    assert "W3SVC ) : Running" in run("iisreset /status").out


@pytest.mark.parametrize("name", ["robocopy", "schtasks", "wmic", "fc", "fsutil", "w32tm"])
def test_refused_by_name(run, name: str) -> None:
    result = run(f"cmd /c {name} x")
    assert result.code == 1 and "not simulated by this lab" in result.err
