"""What switching features on and off, and the handler's packages, leave in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from winlab.iis import install
from winlab.iis.config import APPHOST
from winlab.iis.errors import ConfigError
from winlab.iis.files import MachineFiles, machine_store
from winlab.windows.acl import Acl
from winlab.windows.machine import Machine

BASE = [
    "Web-WebServer",
    "Web-Default-Doc",
    "Web-Http-Errors",
    "Web-Static-Content",
    "Web-Http-Logging",
    "Web-Filtering",
]
SITE = "Default Web Site"
WEB_CONFIG = r"C:\inetpub\wwwroot\web.config"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    yield _server(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def server(tmp_path: Path) -> Machine:
    return _server(tmp_path)


def _server(folder: Path) -> Machine:
    machine = Machine("SRV1", "2016", state_dir=folder)
    for feature in BASE:
        install.feature_installed(machine, feature)
    return machine


def test_a_bare_server_has_the_default_site_and_pool(bare: Machine) -> None:
    reader = machine_store(bare).reader()
    reader.check(SITE)
    site = reader.site(SITE)
    assert site is not None and [(b.protocol, b.port) for b in site.bindings] == [("http", 80)]
    assert site.applications[0].directories == {"/": r"C:\inetpub\wwwroot"}
    pool = reader.pool("DefaultAppPool")
    assert pool is not None and pool["managedRuntimeVersion"] == "v4.0"
    assert reader.section("system.webServer/staticContent").collection.find(fileExtension=".css") is not None
    assert bare.registry.get(install.INETSTP, "MajorVersion") == 10
    assert bare.fs.is_file(r"C:\inetpub\wwwroot\iisstart.htm")


def test_handlers_are_locked_without_asp_net(server: Machine) -> None:
    reader = machine_store(server).reader()
    assert reader.section("system.webServer/handlers", SITE).is_locked
    install.feature_installed(server, "Web-Asp-Net45")
    reader.refresh()
    assert not reader.section("system.webServer/handlers", SITE).is_locked


@pytest.mark.parametrize(
    ("names", "section", "module"),
    [
        (("Web-WebSockets", "IIS-WebSockets"), "webSocket", "WebSocketModule"),
        (("Web-AppInit", "IIS-ApplicationInit"), "applicationInitialization", "ApplicationInitializationModule"),
    ],
)
def test_sections_come_and_go_with_their_feature(
    server: Machine, names: tuple[str, str], section: str, module: str
) -> None:
    store = machine_store(server)
    with pytest.raises(ConfigError, match="missing a section declaration"):
        store.reader().section(f"system.webServer/{section}")
    before = server.fs.read_bytes(APPHOST)
    install.feature_installed(server, names[0])
    assert store.reader().section("system.webServer/modules").collection.find(name=module) is not None
    store.reader().section(f"system.webServer/{section}")
    install.feature_removed(server, names[1])
    assert server.fs.read_bytes(APPHOST) == before


def test_the_assembly_comes_with_the_management_features(server: Machine) -> None:
    dll = install.INETSRV + r"\Microsoft.Web.Administration.dll"
    assert not server.fs.exists(dll)
    assert not server.has_module("IISAdministration")
    install.feature_installed(server, "Web-Scripting-Tools")
    assert server.has_module("IISAdministration")
    install.feature_installed(server, "IIS-ManagementConsole")
    install.feature_removed(server, "Web-Scripting-Tools")
    assert server.fs.exists(dll)
    install.feature_removed(server, "Web-Mgmt-Console")
    assert not server.fs.exists(dll)


def _failure(check: Callable[[], object]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        check()
    return caught.value


def test_a_site_that_needs_the_handler_before_during_and_after(server: Machine) -> None:
    text = b"<configuration><system.webServer><httpPlatform processPath='x' startupRetryCount='3'/></system.webServer></configuration>"
    server.fs.write_bytes(WEB_CONFIG, text)
    reader = machine_store(server).reader()
    assert _failure(lambda: reader.check(SITE)).hresult == 0x8007000D
    install.install_platform_handler(server, "1.2")
    reader.refresh()
    reader.check(SITE)
    assert reader.section("system.webServer/handlers", SITE).is_locked  # 1.2 does not unlock
    # 2.0 on top of it: an attribute is gone, the old module's DLL stays in use
    install.install_platform_handler(server, "2")
    reader.refresh()
    assert _failure(lambda: reader.check(SITE)).text == "Unrecognized attribute 'startupRetryCount'"
    assert not reader.section("system.webServer/handlers").is_locked
    module = reader.section("system.webServer/globalModules").collection.find(name="httpPlatformHandler")
    assert module is not None and str(module["image"]).endswith(r"inetsrv\httpPlatformHandler.dll")
    # taking 1.2 off takes section and schema from 2.0
    install.remove_platform_handler(server, "1.2")
    reader.refresh()
    error = _failure(lambda: reader.check(SITE))
    assert (error.hresult, error.text, error.line) == (0x8007000D, "", None)


def test_passwords_are_stored_encrypted_and_only_for_this_server(server: Machine, tmp_path: Path) -> None:
    session = machine_store(server).session()
    pool = session.apphost().section("system.applicationHost/applicationPools").collection[0]
    pool.child("processModel").set("password", "pässwörd")
    assert pool.child("processModel")["password"] == "pässwörd"
    session.commit()
    stored = server.fs.read_bytes(APPHOST)
    assert b"[enc:IISWASOnlyAesProvider:" in stored and "pässwörd".encode() not in stored
    reader = machine_store(server).reader()
    assert reader.pools()[0].child("processModel")["password"] == "pässwörd"
    other = _server(tmp_path / "other")
    other.fs.write_bytes(APPHOST, stored)
    with pytest.raises(ConfigError, match="Failed to decrypt"):
        machine_store(other).reader().pools()[0].child("processModel").get("password")


def test_only_administrators_read_the_servers_configuration(bare: Machine) -> None:
    user = bare.accounts.token("IIS AppPool\\DefaultAppPool")
    assert _failure(lambda: MachineFiles(bare, user).read(APPHOST)).hresult == 0x80070005


def test_a_file_that_somebody_holds_is_not_written(server: Machine) -> None:
    store = machine_store(server)
    session = store.session()
    session.apphost().section("system.applicationHost/applicationPools").collection[0].set("autoStart", False)
    with server.fs.open(APPHOST, "Open", "Read", "Read"):
        error = _failure(session.commit)
    assert (error.hresult, error.text) == (0x80070020, "Cannot write configuration file")


def test_a_commit_keeps_the_rights_on_a_file(server: Machine) -> None:
    server.fs.write_bytes(WEB_CONFIG, b"<configuration/>")
    server.fs.set_acl(WEB_CONFIG, Acl.from_sddl("O:BAG:SYD:(A;;FA;;;BA)(A;;FR;;;S-1-5-32-568)"))
    before = server.fs.get_acl(WEB_CONFIG).to_sddl()
    session = machine_store(server).session()
    session.web(SITE).section("system.webServer/directoryBrowse").set("enabled", True)
    session.commit()
    assert b"directoryBrowse" in server.fs.read_bytes(WEB_CONFIG)
    assert server.fs.get_acl(WEB_CONFIG).to_sddl() == before
    assert [e.name for e in server.fs.listdir(r"C:\inetpub\wwwroot") if e.name.endswith(".tmp")] == []
