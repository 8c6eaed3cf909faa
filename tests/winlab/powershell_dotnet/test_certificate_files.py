"""PFX files with a chain, private keys, and rights on their files."""

from __future__ import annotations

import base64
import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from winlab.windows.machine import Machine

from .conftest import Run, run_on

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _signed(
    name: str, issuer: tuple[x509.Certificate, PrivateKey] | None = None, key: PrivateKey | None = None
) -> tuple[x509.Certificate, PrivateKey]:
    key = key or rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(issuer[0].subject if issuer else subject, subject, key.public_key())
    builder = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=9))
    )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def _old_encryption(password: bytes) -> serialization.KeySerializationEncryption:
    builder = serialization.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2000)
    return (
        builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1()).build(password)
    )


def test_a_pfx_with_its_chain(run: Run) -> None:
    authority = _signed("Authority")
    own, key = _signed("www.example.com", authority)
    data = pkcs12.serialize_key_and_certificates(b"www", key, own, [authority[0]], _old_encryption(b"secret"))
    lines = run(f"""
        $all = New-Object Security.Cryptography.X509Certificates.X509Certificate2Collection
        $all.Import([Convert]::FromBase64String('{base64.b64encode(data).decode()}'), 'secret', 'MachineKeySet, PersistKeySet')
        foreach ($c in $all) {{ "$($c.Subject) $($c.HasPrivateKey)" }}
        $store = New-Object Security.Cryptography.X509Certificates.X509Store 'My', 'LocalMachine'
        $store.Open('ReadWrite'); $store.Add($all[0])
        $found = (Get-ChildItem Cert:\\LocalMachine\\My)[0]
        $file = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($found).CspKeyContainerInfo.UniqueKeyContainerName
        $path = [IO.Path]::Combine([Environment]::GetFolderPath('CommonApplicationData'), 'Microsoft\\Crypto\\RSA\\MachineKeys', $file)
        $acl = Get-Acl -LiteralPath $path
        $acl.GetType().Name
        $acl.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule 'LOCAL SERVICE', 'Read', 'Allow'))
        Set-Acl -LiteralPath $path -AclObject $acl
        @((Get-Acl -LiteralPath $path).Access | Where-Object IdentityReference -eq 'NT AUTHORITY\\LOCAL SERVICE').Count
    """)
    assert lines == ["CN=www.example.com True", "CN=Authority False", "FileSecurity", "1"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("MachineKeySet", "True"),
        ("DefaultKeySet", 'Exception calling "Import" with "3" argument(s): "Access denied.'),
        ("UserKeySet, PersistKeySet", 'Exception calling "Import" with "3" argument(s): "Access denied.'),
    ],
)
def test_a_network_logon_has_no_key_set_of_its_own(run: Run, flags: str, said: str) -> None:
    own, key = _signed("www.example.com")
    data = pkcs12.serialize_key_and_certificates(None, key, own, None, _old_encryption(b"secret"))
    lines = run(f"""
        $all = New-Object Security.Cryptography.X509Certificates.X509Certificate2Collection
        try {{
            $all.Import([Convert]::FromBase64String('{base64.b64encode(data).decode()}'), 'secret', '{flags}')
            $all[0].HasPrivateKey
        }} catch {{ $_.Exception.Message.Split("`r")[0] }}
    """)
    assert lines == [said]


def test_what_is_encrypted_with_aes_needs_a_newer_windows(run: Run, tmp_path: Path) -> None:
    own, key = _signed("www.example.com")
    data = pkcs12.serialize_key_and_certificates(None, key, own, None, serialization.BestAvailableEncryption(b"secret"))
    script = f"""
        $all = New-Object Security.Cryptography.X509Certificates.X509Certificate2Collection
        try {{
            $all.Import([Convert]::FromBase64String('{base64.b64encode(data).decode()}'), 'secret', 'MachineKeySet')
            $all[0].HasPrivateKey
        }} catch {{ $_.Exception.GetBaseException().Message.Trim() }}
    """
    assert run(script) == ["The specified network password is not correct."]
    assert run_on(Machine("NEWER", "2019", "127.0.0.1", tmp_path), script) == ["True"]


def test_a_key_on_an_elliptic_curve_is_one_of_cng(run: Run) -> None:
    own, key = _signed("curve.example.com", key=ec.generate_private_key(ec.SECP256R1()))
    data = pkcs12.serialize_key_and_certificates(None, key, own, None, _old_encryption(b"secret"))
    lines = run(f"""
        $all = New-Object Security.Cryptography.X509Certificates.X509Certificate2Collection
        $all.Import([Convert]::FromBase64String('{base64.b64encode(data).decode()}'), 'secret', 'MachineKeySet, PersistKeySet')
        $store = New-Object Security.Cryptography.X509Certificates.X509Store 'My', 'LocalMachine'
        $store.Open('ReadWrite'); $store.Add($all[0])
        $found = Get-Item -LiteralPath "Cert:\\LocalMachine\\My\\$($all[0].Thumbprint)"
        $null -eq [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($found)
        $own = [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($found)
        $own.GetType().Name
        [IO.File]::Exists([IO.Path]::Combine($env:ProgramData, 'Microsoft\\Crypto\\Keys', $own.Key.UniqueName))
    """)
    assert lines == ["True", "ECDsaCng", "True"]
