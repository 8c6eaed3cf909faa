"""What a validation callback hears, what a compiled delegate answers, and what a chain's status says."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.winlab.powershell_dotnet.conftest import Run, run_on, web_server
from winlab.windows.certificates import Certificate
from winlab.windows.machine import Machine

DELEGATE = """
$Space = 'Security.Cryptography.X509Certificates'
$Types = [object], ([type] "$Space.X509Certificate"), ([type] "$Space.X509Chain"), [Net.Security.SslPolicyErrors]
$Parameters = [Linq.Expressions.ParameterExpression[]] @(foreach ($Type in $Types) { [Linq.Expressions.Expression]::Parameter($Type) })
$Body = [Linq.Expressions.Expression]::Constant($true)
$Yes = [Linq.Expressions.Expression]::Lambda([Net.Security.RemoteCertificateValidationCallback], $Body, $Parameters).Compile()
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine("SRV", "2016", "127.0.0.5", tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def port(machine: Machine) -> Iterator[int]:
    own = machine.certificates.create_self_signed(["www.example.com"])
    with web_server(machine, own.thumbprint) as port:
        yield port


def ask(
    machine: Machine, port: int, more: str, protocol: str = "Tls12", name: str = "www.example.com", after: str = ""
) -> list[str]:
    return run_on(
        machine,
        f"[Net.ServicePointManager]::SecurityProtocol = '{protocol}'; {DELEGATE}"
        f"$q = [Net.WebRequest]::Create('https://localhost:{port}/'); $q.Host = '{name}:{port}'; {more}\n"
        "try { [int] $q.GetResponse().StatusCode } catch { [string] $_.Exception.InnerException.Status }\n" + after,
    )


def test_a_compiled_delegate_decides(machine: Machine, port: int) -> None:
    assert ask(machine, port, "") == ["TrustFailure"]
    assert ask(machine, port, "$q.ServerCertificateValidationCallback = $Yes") == ["200"]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_only_versions_that_the_process_offers(machine: Machine, port: int) -> None:
    assert ask(machine, port, "$q.ServerCertificateValidationCallback = $Yes", "Tls") == ["SecureChannelFailure"]


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("www.example.com", "RemoteCertificateChainErrors"),
        ("other.example.com", "RemoteCertificateNameMismatch, RemoteCertificateChainErrors"),
    ],
)
def test_a_callback_hears_what_is_wrong(machine: Machine, port: int, name: str, errors: str) -> None:
    told = "@([string] $e, $c.Subject, [string] $ch.ChainStatus[0].Status, $s.Host)"
    callback = f"$q.ServerCertificateValidationCallback = {{ param($s, $c, $ch, $e) $global:Heard = {told}; $false }}"
    said = ask(machine, port, callback, name=name, after="$global:Heard")
    assert said == ["TrustFailure", errors, "CN=www.example.com", "UntrustedRoot", f"{name}:{port}"]


def test_the_service_point_keeps_the_certificate(machine: Machine, port: int) -> None:
    more = "$q.ServerCertificateValidationCallback = $Yes; $null -eq $q.ServicePoint.Certificate"
    assert ask(machine, port, more, after="$q.ServicePoint.Certificate.Subject") == [
        "True",
        "200",
        "CN=www.example.com",
    ]


def test_lambda_checks_types(run: Run) -> None:
    make = "[Linq.Expressions.Expression]::Lambda([Net.Security.RemoteCertificateValidationCallback], "
    said = run(
        f"try {{ {make}[Linq.Expressions.Expression]::Constant($true)) }} catch {{ $_.Exception.InnerException.Message }}"
    )
    assert said == ["Incorrect number of parameters supplied for lambda declaration"]
    said = run(
        f"{DELEGATE} try {{ {make}[Linq.Expressions.Expression]::Constant(1), $Parameters) }} catch {{ $_.Exception.InnerException.Message }}"
    )
    assert said == ["Expression of type 'System.Int32' cannot be used for return type 'System.Boolean'"]


def _issue(
    name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None, days: int = 30
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer[0].subject if issuer else own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )
    return made, key


def test_the_status_of_a_chain(tmp_path: Path) -> None:
    machine = Machine("SRV", "2016", "127.0.0.6", tmp_path)
    root = _issue("Root", None)
    middle = _issue("Middle", root)
    own, over = _issue("www.example.com", middle), _issue("old.example.com", middle, -1)

    def add(store: str, pair: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]) -> str:
        der = pair[0].public_bytes(serialization.Encoding.DER)
        return machine.certificates.add(Certificate(der), store).thumbprint

    def status(thumbprint: str, flags: str = "NoFlag") -> list[str]:
        return run_on(
            machine,
            f"$c = Get-Item Cert:\\LocalMachine\\My\\{thumbprint}; $h = New-Object Security.Cryptography.X509Certificates.X509Chain; "
            f"$h.ChainPolicy.RevocationMode = 'NoCheck'; $h.ChainPolicy.VerificationFlags = '{flags}'; $h.Build($c); $h.ChainElements.Count; "
            "foreach ($s in $h.ChainStatus) { [string] $s.Status }",
        )

    first, second = add("My", own), add("My", over)
    assert status(first) == ["False", "1", "PartialChain"]
    add("CA", middle)
    assert status(first) == ["False", "2", "PartialChain"]
    assert status(first, "AllowUnknownCertificateAuthority") == ["True", "2", "PartialChain"]
    add("CA", root)
    assert status(first) == ["False", "3", "UntrustedRoot"]
    add("Root", root)
    assert status(first) == ["True", "3"]
    assert status(second) == ["False", "3", "NotTimeValid"]
    assert status(second, "IgnoreNotTimeValid") == ["True", "3", "NotTimeValid"]
