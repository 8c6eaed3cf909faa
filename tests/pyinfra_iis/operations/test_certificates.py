"""Certificates as they travel: readable for every Windows."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from pyinfra_iis.operations.iis import certificates

PBES2 = bytes.fromhex("06092a864886f70d01050d")


def make(path: Path, encryption: serialization.KeySerializationEncryption) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"www", key, made, [made], encryption))


@pytest.mark.parametrize("password", ["hunter3", ""])
def test_a_file_travels_without_aes(tmp_path: Path, password: str) -> None:
    file = tmp_path / "www.pfx"
    make(file, serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption())
    read = certificates.read(str(file), password)
    found = pkcs12.load_pkcs12(read.data, read.password.encode())
    assert PBES2 not in read.data
    assert found.key is not None
    assert found.cert is not None and found.cert.friendly_name == b"www"
    assert found.cert.certificate.fingerprint(hashes.SHA1()).hex().upper() == read.thumbprint
    assert len(found.additional_certs) == 1
    assert repr(read.data) not in repr(read) and read.password not in repr(read)
