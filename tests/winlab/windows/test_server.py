"""Registry, services, features, event logs, firewall, certificates, HTTP.sys, boot."""

from __future__ import annotations

from pathlib import Path

import pytest

from winlab.windows.certificates import Certificate
from winlab.windows.errors import WindowsError
from winlab.windows.features import FeatureError
from winlab.windows.firewall import Rule
from winlab.windows.httpapi import SslBinding
from winlab.windows.machine import Machine
from winlab.windows.services import Controller


def code(action) -> int:
    with pytest.raises(WindowsError) as caught:
        action()
    return caught.value.code


@pytest.mark.parametrize(
    ("version", "build", "product"),
    [
        ("2016", "14393", "Windows Server 2016 Standard"),
        ("2025", "26100", "Windows Server 2025 Standard"),
        ("11", "22631", "Windows 10 Pro"),
    ],
)
def test_versions(tmp_path: Path, version: str, build: str, product: str) -> None:
    machine = Machine("A", version, "127.0.0.1", tmp_path)
    key = machine.registry.open("HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion")
    assert (key.get("CurrentBuild"), key.get("ProductName")) == (build, product)
    assert not machine.fs.exists("C:\\inetpub")
    assert machine.fs.is_file("C:\\Windows\\System32\\cmd.exe")


def test_registry_values_and_kinds(machine: Machine, pool) -> None:
    key = machine.registry.create("HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\App")
    for name, data, kind in (
        ("s", "text", "String"),
        ("e", "%PATH%", "ExpandString"),
        ("d", 5, "DWord"),
        ("q", 1 << 40, "QWord"),
        ("m", ["a", "b"], "MultiString"),
        ("b", b"\x00\x01", "Binary"),
    ):
        key.set(name, data, kind)
    again = Machine("SRV1", "2016", "127.0.0.1", machine.state_dir).registry.open("hklm\\software\\ACME\\app")
    assert again.full_name == "HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\App"
    assert {name: (again.get(name), again.kind(name)) for name in again.value_names()}["q"] == (1 << 40, "QWord")
    assert again.get("M") == ["a", "b"] and again.get("b") == b"\x00\x01"
    assert code(lambda: key.set("d", "x", "DWord")) == 87
    assert code(lambda: machine.registry.open("HKLM\\SOFTWARE\\No")) == 2
    assert code(lambda: machine.registry.create("HKLM\\SOFTWARE\\New", pool)) == 5
    assert code(lambda: machine.registry.delete("HKLM\\SOFTWARE\\Acme")) == 5
    machine.registry.delete("HKLM\\SOFTWARE\\Acme", recursive=True)
    assert not machine.registry.exists("HKLM\\SOFTWARE\\Acme\\App")


def test_users_have_hives_of_their_own(machine: Machine, admin, pool) -> None:
    machine.registry.create("HKCU\\Software\\X", admin).set("a", 1)
    assert machine.registry.exists("HKCU\\Software\\X", admin)
    assert not machine.registry.exists("HKCU\\Software\\X", pool)


def test_services(machine: Machine) -> None:
    services = machine.services
    assert code(lambda: services.start("W32Time")) == 1056
    services.stop("W32Time")
    assert code(lambda: services.stop("W32Time")) == 1062
    services.configure("W32Time", start_type="Disabled")
    assert code(lambda: services.start("W32Time")) == 1058
    assert code(lambda: services.get("nope")) == 1060
    calls: list[str] = []
    services.create("base", "C:\\base.exe")
    services.create(
        "app",
        "C:\\app.exe",
        depends_on=["base"],
        controller=Controller(lambda: calls.append("start"), lambda: calls.append("stop")),
    )
    assert code(lambda: services.create("APP", "x")) == 1073
    services.start("app")
    assert services.get("base").status == "Running"
    assert code(lambda: services.stop("base")) == 1051
    services.stop("base", force=True)
    assert calls == ["start", "stop"]
    assert any("App" in e.message or "app" in e.message for e in machine.eventlog.entries("System"))


def test_web_server_role(machine: Machine) -> None:
    fired: list[str] = []
    machine.hooks.add("feature-installed", lambda feature: fired.append(feature.key))
    result = machine.features.install(["Web-AppInit"])
    assert (
        [feature.key for feature in result.changed]
        == ["Web-Server", "Web-WebServer", "Web-App-Dev", "Web-AppInit"]
        == fired
    )
    result = machine.features.install(["Web-Server"], include_management_tools=True)
    names = {feature.key for feature in result.changed}
    assert {"Web-Static-Content", "Web-Filtering", "Web-Mgmt-Console"} <= names and "Web-CGI" not in names
    assert machine.features.install(["Web-Server"]).exit_code == "NoChangeNeeded"
    assert machine.services.get("W3SVC").status == "Running"
    assert machine.fs.is_dir("C:\\inetpub\\wwwroot")
    assert machine.firewall.find("IIS-WebServerRole-HTTP-In-TCP") is not None
    assert machine.features.find("IIS-StaticContent").name == "Web-Static-Content"
    removed = machine.features.uninstall(["Web-Server"])
    assert removed.restart_needed and not machine.services.exists("W3SVC")
    machine.reboot()
    assert not machine.features.restart_pending


def test_the_order_in_which_features_came_is_no_state(machine: Machine) -> None:
    machine.features.install(["Telnet-Client"])
    machine.features.install(["TFTP-Client"])
    before = (machine.state_dir / "features.json").read_text()
    machine.features.uninstall(["Telnet-Client"])
    machine.features.install(["Telnet-Client"])
    assert (machine.state_dir / "features.json").read_text() == before


def test_feature_errors(machine: Machine) -> None:
    with pytest.raises(FeatureError) as caught:
        machine.features.install(["Web-Nothing"])
    assert caught.value.code_hresult == 0x800F080C
    with pytest.raises(FeatureError) as caught:
        machine.features.install(["IIS-WebSockets"], parents=False)
    assert caught.value.code_hresult == 0x800F0826
    with pytest.raises(FeatureError) as caught:
        machine.features.install(["NET-Framework-Core"])
    assert caught.value.code_hresult == 0x800F081F
    machine.fs.mkdir("C:\\sxs")
    machine.fs.write_bytes("C:\\sxs\\netfx.cab", b"x")
    assert machine.features.install(["NET-Framework-Core"], source="C:\\sxs").success


def test_client_has_optional_features_only(tmp_path: Path) -> None:
    machine = Machine("PC", "10", "127.0.0.1", tmp_path)
    assert machine.features.find("Web-Server") is None
    changed = [feature.key for feature in machine.features.install(["IIS-ApplicationInit"]).changed]
    assert changed == ["IIS-WebServerRole", "IIS-WebServer", "IIS-ApplicationDevelopment", "IIS-ApplicationInit"]
    assert machine.features.optional_state(machine.features.get("IIS-ApplicationInit")) == "Enabled"


def test_event_log(machine: Machine) -> None:
    log = machine.eventlog
    first = log.write("Application", "MyApp", 7, "Warning", "careful")
    log.write("Application", "MyApp", 8, "Error", "broken")
    again = Machine("SRV1", "2016", "127.0.0.1", machine.state_dir).eventlog
    assert [(e.event_id, e.level, e.message) for e in again.entries("application")] == [
        (7, "Warning", "careful"),
        (8, "Error", "broken"),
    ]
    assert next(again.newest("Application")).event_id == 8
    again.clear("Application")
    assert again.write("Application", "MyApp", 9, "Information", "").record_id == first.record_id + 2
    assert code(lambda: log.entries("Nope")) == 2
    log.create_source("MyApp", "Application")
    assert log.source_log("myapp") == "Application"
    assert code(lambda: log.create_source("MyApp")) == 183


def test_firewall(machine: Machine) -> None:
    firewall = machine.firewall
    assert firewall.allows(5985) and not firewall.allows(8080)
    firewall.add(Rule("web", "Web", protocol="TCP", local_port=["8000-8100"]))
    assert firewall.allows(8080)
    firewall.add(Rule("no", "No", protocol="TCP", local_port=["8080"], action="Block"))
    assert not firewall.allows(8080)
    assert code(lambda: firewall.add(Rule("WEB", "again"))) == 183
    assert Machine("SRV1", "2016", "127.0.0.1", machine.state_dir).firewall.find("Web").local_port == ["8000-8100"]


def test_certificates(machine: Machine) -> None:
    store = machine.certificates
    made = store.create_self_signed(["www.example.com", "10.0.0.1"], friendly_name="site")
    assert made.has_private_key and made.dns_names == ["www.example.com"] and made.subject == "CN=www.example.com"
    pfx = store.export_pfx(made, "secret")
    store.remove(made.thumbprint)
    assert store.find(made.thumbprint) is None
    assert code(lambda: store.import_pfx(pfx, "wrong")) == 86
    assert code(lambda: store.import_pfx(b"nonsense", None)) == 13
    imported = store.import_pfx(pfx, "secret", "WebHosting")[0]
    assert imported.thumbprint == made.thumbprint and imported.friendly_name == "site"
    assert code(lambda: store.export_pfx(imported, "x")) == 5
    pem = store.pem(made.thumbprint.lower(), "webhosting")
    assert pem is not None and b"PRIVATE KEY" in pem
    key_file = "C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\" + imported.key_name
    assert machine.fs.get_acl(key_file).protected
    assert not store.is_trusted(imported)
    store.add(Certificate(imported.der), "Root")
    assert store.is_trusted(imported)
    assert code(lambda: store.all("Nope")) == 2


def test_http_bindings(machine: Machine) -> None:
    binding = SslBinding("ipport", "0.0.0.0:443", "00" * 20)
    assert code(lambda: machine.http.add(binding)) == 1312
    binding.thumbprint = machine.certificates.create_self_signed(["a"]).thumbprint
    machine.http.add(binding)
    assert code(lambda: machine.http.add(binding)) == 183
    machine.http.remove("ipport", "0.0.0.0:443")
    assert code(lambda: machine.http.remove("ipport", "0.0.0.0:443")) == 2


def test_reboot_ends_processes_and_moves_the_boot_time(machine: Machine) -> None:
    events: list[str] = []
    for name in ("shutdown", "reboot", "boot"):
        machine.hooks.add(name, lambda name=name: events.append(name))
    process = machine.processes.start("ping -n 60 127.0.0.1")
    before = machine.boot_time
    machine.reboot()
    assert not process.alive and machine.processes.get(process.pid) is None
    assert machine.boot_time > before and events == ["shutdown", "reboot", "boot"]


def test_scheduled_shutdown(machine: Machine) -> None:
    machine.schedule_shutdown(60, True)
    assert code(lambda: machine.schedule_shutdown(60, True)) == 1190
    machine.abort_shutdown()
    assert code(machine.abort_shutdown) == 1116


def test_a_bare_server_is_small(machine: Machine) -> None:
    assert sum(path.stat().st_size for path in machine.state_dir.rglob("*") if path.is_file()) < 1_000_000
