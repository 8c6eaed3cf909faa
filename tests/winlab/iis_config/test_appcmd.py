"""appcmd.exe over a server's configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import winlab.programs
from winlab.iis import install
from winlab.iis.config import APPHOST
from winlab.windows.machine import Machine
from winlab.windows.pipes import Pipe

assert winlab.programs
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def server(tmp_path: Path) -> Machine:
    machine = Machine("SRV1", "2016", state_dir=tmp_path)
    for feature in ("Web-WebServer", "Web-Static-Content", "Web-Default-Doc"):
        install.feature_installed(machine, feature)
    return machine


@pytest.fixture
def appcmd(server: Machine) -> Run:
    def run(arguments: str, given: str = "") -> tuple[int, str]:
        out, stdin = Pipe(), Pipe()
        stdin.write(given.encode())
        stdin.close_write()
        process = server.processes.start(
            f"C:\\Windows\\System32\\inetsrv\\appcmd.exe {arguments}",
            cwd="C:\\",
            env=server.env,
            stdin=stdin,
            stdout=out,
        )
        code = process.wait(20)
        out.close_write()
        data = b""
        while chunk := out.read(65536, timeout=5):
            data += chunk
        assert code is not None
        return code, data.decode().replace("\r\n", "\n")

    return run


def test_listing(appcmd: Run) -> None:
    assert appcmd("list site") == (0, 'SITE "Default Web Site" (id:1,bindings:http/*:80:,state:Unknown)\n')
    assert appcmd('list app /site.name:"Default Web Site"') == (
        0,
        'APP "Default Web Site/" (applicationPool:DefaultAppPool)\n',
    )
    assert appcmd("list vdir /text:physicalPath") == (0, "%SystemDrive%\\inetpub\\wwwroot\n")
    assert appcmd("list apppool /xml") == (
        0,
        '<?xml version="1.0" encoding="UTF-8"?>\n<appcmd>\n'
        '    <APPPOOL APPPOOL.NAME="DefaultAppPool" PipelineMode="Integrated" RuntimeVersion="v4.0" MgdVersion="v4.0" '
        'MgdMode="Integrated" state="Unknown" />\n</appcmd>\n',
    )
    assert appcmd("list site nowhere") == (1, "")
    assert appcmd("list apppool /processModel.identityType:NetworkService") == (1, "")


def test_a_site_from_nothing_to_removal(appcmd: Run, server: Machine) -> None:
    assert appcmd("add apppool /name:web /managedRuntimeVersion: /processModel.idleTimeout:00:00:00")[0] == 0
    code, text = appcmd(r"add site /name:shop /id:7 /bindings:http/*:8080:,http://x.test:81 /physicalPath:C:\shop")
    assert (code, text) == (0, 'SITE object "shop" added\nAPP object "shop/" added\nVDIR object "shop/" added\n')
    assert appcmd("set app shop/ /applicationPool:web") == (0, 'APP object "shop/" changed\n')
    assert (
        appcmd(r"add app /site.name:shop /path:/api /physicalPath:C:\api")[1].splitlines()[1]
        == 'VDIR object "shop/api/" added'
    )
    assert appcmd(r"add vdir /app.name:shop/ /path:/img /physicalPath:D:\img") == (0, 'VDIR object "shop/img" added\n')
    assert appcmd(r"""set site shop "/[path='/'].[path='/'].physicalPath:C:\other" """)[0] == 0
    assert appcmd("""set site shop "/-bindings.[protocol='http',bindingInformation='*:8080:']" """)[0] == 0
    assert appcmd("list site shop /text:bindings") == (0, "http/*:81:x.test\n")
    assert appcmd("list vdir shop/ /text:physicalPath") == (0, "C:\\other\n")
    before = server.fs.read_bytes(APPHOST)
    assert appcmd("delete app shop/api") == (0, 'APP object "shop/api" deleted\n')
    assert appcmd("delete site /site.name:shop") == (0, 'SITE object "shop" deleted\n')
    assert server.fs.read_bytes(APPHOST) != before
    assert appcmd("delete site shop") == (1168, 'ERROR ( message:Cannot find SITE object with identifier "shop". )\n')


def test_sections(appcmd: Run, server: Machine) -> None:
    root = "MACHINE/WEBROOT/APPHOST"
    assert appcmd("unlock config -section:system.webServer/handlers") == (
        0,
        f'Unlocked section "system.webServer/handlers" at configuration path "{root}".\n',
    )
    code, text = appcmd("""set config "Default Web Site" /section:handlers2 /x:1""")
    assert (code, text.startswith('ERROR ( message:Unknown config section "handlers2".')) == (87, True)
    code, text = appcmd(
        """set config "Default Web Site" -section:system.webServer/handlers "/+[name='a',path='*.a',verb='*',@start]" """
    )
    assert text == (
        f'Applied configuration changes to section "system.webServer/handlers" for "{root}/Default Web Site" '
        f'at configuration commit path "{root}/Default Web Site"\n'
    )
    assert b'<add name="a" path="*.a" verb="*" />' in server.fs.read_bytes(r"C:\inetpub\wwwroot\web.config")
    code, text = appcmd(
        """set config "Default Web Site" -section:system.webServer/directoryBrowse /enabled:true /commit:apphost"""
    )
    assert (code, b'<location path="Default Web Site">' in server.fs.read_bytes(APPHOST)) == (0, True)
    assert appcmd("list config -section:system.webServer/directoryBrowse") == (
        0,
        '<system.webServer>\n  <directoryBrowse enabled="false" />\n</system.webServer>\n',
    )


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ('set config "Default Web Site" -section:system.webServer/httpLogging /dontLog:true', 33, "hresult:80070021"),
        ("set apppool DefaultAppPool /queueLength:1", 13, "Integer value must be between 10 and 65535 inclusive"),
        ("set apppool DefaultAppPool /colour:red", 87, 'Unknown attribute "colour"'),
        ("add apppool /name:DefaultAppPool", 183, 'duplicate collection element "DefaultAppPool"'),
        ("list thing", 87, "Object 'THING' is not supported"),
        ("list site a b", 87, "The parameter 'b' must begin with a / or - (HRESULT=80070057)"),
        ("list backup", 50, "The lab does not support"),
        ('start site "Default Web Site"', 1062, "hresult:80070426"),
        (
            "set config -section:system.webServer/staticContent \"/+[fileExtension='.html',mimeType='x']\"",
            183,
            "Cannot add duplicate collection entry of type 'mimeMap' with unique key attribute 'fileExtension' set to '.html'",
        ),
    ],
)
def test_refusals(appcmd: Run, server: Machine, arguments: str, code: int, text: str) -> None:
    before = server.fs.read_bytes(APPHOST)
    result = appcmd(arguments)
    assert result[0] == code and text in result[1]
    assert server.fs.read_bytes(APPHOST) == before


def test_objects_from_another_appcmd(appcmd: Run) -> None:
    assert appcmd("add apppool /name:a")[0] == 0
    pools = appcmd("list apppool /xml")[1]
    assert appcmd("set apppool /in /autoStart:false", pools) == (
        0,
        'APPPOOL object "DefaultAppPool" changed\nAPPPOOL object "a" changed\n',
    )
    assert appcmd("list apppool /autoStart:false /text:name")[1] == "DefaultAppPool\na\n"
    sites = appcmd("list site /xml")[1]
    assert appcmd("list app /in", sites) == (0, 'APP "Default Web Site/" (applicationPool:DefaultAppPool)\n')


def test_short_section_names_and_pool_variables(appcmd: Run, server: Machine) -> None:
    assert (
        appcmd(
            """set config /section:applicationPools "/[name='DefaultAppPool'].processModel.identityType:NetworkService" """
        )[0]
        == 0
    )
    assert appcmd("""set apppool DefaultAppPool "/+environmentVariables.[name='A',value='x y']" """)[0] == 0
    text = server.fs.read_bytes(APPHOST)
    assert b'<processModel identityType="NetworkService" />' in text and b'<add name="A" value="x y" />' in text
    assert "NetworkService" in appcmd("list config -section:applicationPools")[1]
