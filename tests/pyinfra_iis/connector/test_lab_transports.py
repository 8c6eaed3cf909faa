"""Ways to log on and TLS, each down to an open shell; and the doctor."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from winrm import transport

from pyinfra_iis.connector import doctor
from pyinfra_iis.connector.errors import CertificateRefused, Garbled, NameUnknown, Unauthorized, Unreachable, WireError
from pyinfra_iis.connector.settings import Settings, read_settings
from pyinfra_iis.connector.wire import Wire
from tests.labkit import Lab


def settings(lab: Lab, **more: Any) -> Settings:
    data = {
        "winrm_hostname": lab.addresses[0],
        "winrm_user": lab.status["user"],
        "winrm_password": lab.password,
        **more,
    }
    return read_settings("srv1", data, ask=False)


def shell(config: Settings) -> str:
    wire = Wire(config)
    try:
        found = wire.create()
        wire.delete(found)
        return found
    finally:
        wire.reset()


@pytest.fixture(autouse=True)
def clean(lab: Lab):  # type: ignore[no-untyped-def]
    lab.winlab("set", "clear")
    yield
    lab.winlab("set", "clear")


@pytest.fixture
def ca(lab: Lab) -> str:
    lab.winlab("set", "https=on")
    return str(next(lab.state.rglob("winrm-https.pem")))


def test_ntlm_sealed(lab: Lab) -> None:
    assert shell(settings(lab))


def test_ntlm_in_the_clear_is_refused_by_the_server(lab: Lab) -> None:
    config = settings(lab, winrm_message_encryption="never", winrm_allow_unencrypted=True)
    with pytest.raises(WireError, match="unencrypted"):
        shell(config)
    lab.winlab("set", "allow-unencrypted=on")
    assert shell(config)


def test_basic_over_http_only_when_allowed(lab: Lab) -> None:
    lab.winlab("set", "allow-unencrypted=on", "basic=on")
    assert shell(settings(lab, winrm_transport="basic", winrm_https=False, winrm_allow_unencrypted=True))


def test_https(lab: Lab, ca: str) -> None:
    with pytest.raises(CertificateRefused) as caught:
        shell(settings(lab, winrm_https=True))
    assert "winrm_ca_file" in caught.value.todo
    assert shell(settings(lab, winrm_https=True, winrm_verify_certificate=False))
    assert shell(settings(lab, winrm_https=True, winrm_ca_file=ca))
    assert shell(settings(lab, winrm_https=True, winrm_ca_file=ca, winrm_message_encryption="always"))
    lab.winlab("set", "basic=on")
    assert shell(settings(lab, winrm_transport="basic", winrm_ca_file=ca))


def test_a_certificate_for_another_name(lab: Lab, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    there = lab.addresses[0]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: real(there if host == "other.example" else host, *rest, **more),
    )
    with pytest.raises(CertificateRefused, match="another name"):
        shell(settings(lab, winrm_https=True, winrm_ca_file=ca, winrm_hostname="other.example"))


def test_a_client_certificate(lab: Lab, ca: str, tmp_path: Path) -> None:
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(pem), "-days", "2", "-subj",
         "/CN=deploy", "-addext", "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:deploy@localhost", "-addext",
         "extendedKeyUsage=clientAuth"], check=True, capture_output=True)  # fmt: skip
    lab.winlab("set", "certificate=on")
    lab.winlab("map-certificate", lab.name(lab.addresses[0]), "Administrator", str(pem))
    config = settings(
        lab, winrm_transport="certificate", winrm_ca_file=ca, winrm_certificate=str(pem), winrm_certificate_key=str(key)
    )
    assert shell(config)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ({"winrm_password": "wrong-Passw0rd"}, Unauthorized, "winrm_password"),
        ({"winrm_hostname": "no-such-host.invalid"}, NameUnknown, "DNS"),
        ({"winrm_port": 5999}, Unreachable, "not reachable"),
        ({"winrm_https": True, "winrm_port": 5985}, CertificateRefused, "TLS"),
        ({"winrm_proxy": "http://127.0.0.1:9"}, Unreachable, "proxy"),
    ],
)
def test_what_is_wrong_is_one_sentence(lab: Lab, data: dict[str, Any], kind: type[WireError], words: str) -> None:
    with pytest.raises(kind) as caught:
        shell(settings(lab, **data))
    sentence = caught.value.sentence("srv1")
    assert words in sentence and lab.password not in sentence and "\n" not in sentence


@pytest.mark.skipif(transport.HAVE_KERBEROS, reason="it is installed")
def test_a_transport_that_is_not_installed(lab: Lab) -> None:
    with pytest.raises(Unreachable) as caught:
        shell(settings(lab, winrm_transport="kerberos"))
    assert "pip install" in caught.value.todo


def test_a_proxys_page(lab: Lab) -> None:
    lab.winlab("set", "proxy-html=always")
    with pytest.raises(Garbled, match="web page"):
        shell(settings(lab))


def test_a_server_with_another_clock(lab: Lab) -> None:
    lab.winlab("set", "clock-skew=3600")
    assert shell(settings(lab))


def examine(lab: Lab, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    code = doctor.main([lab.addresses[0], "--json", *arguments])
    found = json.loads(capsys.readouterr().out)
    assert lab.password not in str(found)
    return code, {finding["about"]: finding for finding in found["findings"]}


def test_the_doctor(lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINRM_PASSWORD", lab.password)
    code, found = examine(lab, "--user", lab.status["user"], capsys=capsys)
    assert code == 0
    assert found["logon ntlm"]["level"] == "ok"
    assert "sealed" in found["messages"]["what"]
    assert found["port 5986"]["fix"].startswith("New-Item WSMan:")
    lab.winlab("set", "clock-skew=900")
    _, found = examine(lab, "--user", lab.status["user"], capsys=capsys)
    assert found["clock"]["level"] == "bad" and "w32tm" in found["clock"]["fix"]


def test_the_doctor_and_a_wrong_password(
    lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINRM_PASSWORD", "wrong-Passw0rd")
    code, found = examine(lab, "--user", lab.status["user"], capsys=capsys)
    assert code == 1 and found["logon ntlm"]["level"] == "bad"


def test_the_doctor_and_no_host(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["no-such-host.invalid"]) == 1
    assert "not known" in capsys.readouterr().out
