"""What the scripts tell of an IIS whose services do not run, or whose sites are gone."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from pyinfra_iis.powershell import literal, source
from tests.winlab.iis_http.harness import PORT, Web
from tests.winlab.powershell_dotnet.conftest import run_on

OLD = (
    serialization.PrivateFormat.PKCS12.encryption_builder()
    .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
    .hmac_hash(hashes.SHA1())
    .build(b"secret")
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    made = Web(tmp_path_factory.mktemp("server") / "state", features=("Web-Scripting-Tools",)).start()
    yield made
    made.close()


def call(web: Web, name: str, **request: Any) -> Any:
    """What a script returns; the text of what ended it. What arrives within half a minute is waited for a second."""
    body = f"param($Request)\n$Secrets = @{{ password = 'secret'; data = '' }}\n$ErrorActionPreference = 'Stop'\n{source(name)}".replace(
        "AddSeconds(30)", "AddSeconds(1)"
    )
    script = f"""
        try {{ $Told = & {{
        {body}
        }} (ConvertFrom-Json {literal(request)}) }} catch {{ $Told = $_.Exception.Message }}
        ConvertTo-Json -Compress -Depth 10 -InputObject $Told
    """
    (line,) = run_on(web.machine, script) or ["null"]
    return json.loads(line)


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("site", "Site", "the World Wide Web Publishing Service (W3SVC) does not run."),
        ("pool", "DefaultAppPool", "the World Wide Web Publishing Service (W3SVC) does not run."),
        ("site", "Gone", "it is not there."),
    ],
)
def test_why_a_state_is_not_reached(web: Web, kind: str, name: str, told: str) -> None:
    states = [{"kind": kind, "name": name, "state": "Started"}]
    web.service.stop()
    try:
        sentence = call(web, "iis/apply", sections=[], states=states)
    finally:
        web.service.start()
    assert sentence == f"{'Site' if kind == 'site' else 'App pool'} {name} does not become Started on WEB1: {told}"
    if name != "Gone":
        assert call(web, "iis/apply", sections=[], states=states) is None


def test_the_log_that_is_shown_is_the_newest_process_s_in_its_own_encoding(web: Web) -> None:
    """Windows notes when a file was last written once it is closed: the process before may have closed its own after that."""
    logs = r"C:\app\shared\logs"
    web.machine.fs.mkdir(logs, parents=True)
    web.write(logs + r"\stdout_9_1.log", "old\r\n")
    run_on(
        web.machine, rf"(Get-Item -LiteralPath {logs}\stdout_9_1.log).CreationTimeUtc = [DateTime]::UtcNow.AddHours(-1)"
    )
    web.write(logs + r"\stdout_1_2.log", "Fehler: «größer»\r\n")
    run_on(
        web.machine,
        rf"(Get-Item -LiteralPath {logs}\stdout_1_2.log).LastWriteTimeUtc = [DateTime]::UtcNow.AddMinutes(-1)",
    )
    check = {
        "site": "Site",
        "address": "http://127.0.0.1:9/",
        "host": "",
        "status": 0,
        "timeout": 0,
        "shared": r"C:\app\shared",
        "explain": True,
    }
    lines = run_on(
        web.machine,
        f"""
        {source("iis/wait_healthy")}
        $Told = New-Object IO.StringWriter
        [Console]::SetError($Told)
        [Console]::SetOut((New-Object IO.StringWriter))
        try {{ Wait-Healthy (ConvertFrom-Json {literal(check)}) '' }} catch {{ }}
        $Told.ToString().Trim()
        """,
    )
    assert lines == ["Fehler: «größer»"]


def test_a_certificate_is_found_by_any_of_its_names(web: Web) -> None:
    run_on(
        web.machine,
        r"[void] (New-SelfSignedCertificate -DnsName a.example.com, b.example.com -CertStoreLocation Cert:\LocalMachine\My)",
    )
    for name, is_there in {"b.example.com": True, "c.example.com": False}.items():
        assert call(web, "iis/certificate_state", subject=name, readers=[])["present"] is is_there


def test_a_port_that_other_sites_share_is_not_blamed(web: Web) -> None:
    web.add_site("Second", 9, f"10.9.9.9:{PORT}:www.example.com")
    web.settle()
    sentence = call(web, "iis/apply", sections=[], states=[{"kind": "site", "name": "Second", "state": "Started"}])
    assert sentence.startswith("Site Second does not become Started on WEB1: ")
    assert sentence.endswith("(Exception from HRESULT: 0x80072741)")


@pytest.mark.parametrize("curve", [False, True])
def test_a_look_into_a_file_leaves_the_keys_as_they_are(web: Web, curve: bool) -> None:
    key = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "keys.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    own = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    web.write(r"C:\own.pfx", pkcs12.serialize_key_and_certificates(None, key, own, None, OLD))
    folder = r"C:\ProgramData\Microsoft\Crypto" + (r"\Keys" if curve else r"\RSA\MachineKeys")

    def keys() -> list[str]:
        return sorted(item.name for item in web.machine.fs.listdir(folder)) if web.machine.fs.is_dir(folder) else []

    def look() -> Any:
        return call(web, "iis/certificate_file", path=r"C:\own.pfx")["thumbprint"]

    before = keys()
    thumbprint = look()
    assert keys() == before
    request = {"path": r"C:\own.pfx", "thumbprint": thumbprint, "exportable": False, "readers": ["LOCAL SERVICE"]}
    assert call(web, "iis/import_certificate", **request) == {"thumbprint": thumbprint}
    installed = keys()
    assert len(installed) == len(before) + 1
    assert look() == thumbprint
    assert keys() == installed
    assert call(web, "iis/remove_certificate", thumbprint=thumbprint) is None
    assert keys() == before
