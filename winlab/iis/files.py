"""Where the configuration system finds its files: on a lab server's disk, or in memory for tests."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets as random_source
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from winlab.iis.config import CONFIG_DIR, ConfigStore
from winlab.iis.errors import E_ACCESSDENIED, E_BAD_DATA, E_PATH_NOT_FOUND, E_SHARING_VIOLATION, ConfigError
from winlab.iis.schema import Schema

if TYPE_CHECKING:
    from winlab.iis.reader import Reader
    from winlab.windows.machine import Machine

SCHEMA_FOLDER = CONFIG_DIR + r"\schema"
# Name of the machine key container that IIS setup makes (iisConfigurationKey).
KEY_FILE = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys\6de9cb26d2b98c01ec4e9e8b34824aa2_iisConfigurationKey"

_ENVIRONMENT = {
    "systemdrive": "C:",
    "systemroot": r"C:\Windows",
    "windir": r"C:\Windows",
    "programfiles": r"C:\Program Files",
    "programfiles(x86)": r"C:\Program Files (x86)",
    "programdata": r"C:\ProgramData",
}


def _expand(text: str, environment: dict[str, str]) -> str:
    return re.sub(r"%([^%]+)%", lambda m: environment.get(m.group(1).lower(), m.group(0)), text)


class MemoryFiles:
    """Files in a dictionary, by path without regard to case."""

    def __init__(self, files: dict[str, bytes] | None = None):
        self._files = {k.lower(): v for k, v in (files or {}).items()}
        self.missing: set[str] = set()

    def read(self, path: str) -> bytes | None:
        return self._files.get(path.lower())

    def write(self, path: str, data: bytes) -> None:
        self._files[path.lower()] = data

    def is_dir(self, path: str) -> bool:
        """Every folder is there, except those in `missing`."""
        return path.rstrip("\\").lower() not in self.missing

    def signature(self, path: str) -> object:
        return self._files.get(path.lower())

    def expand(self, text: str) -> str:
        return _expand(text, _ENVIRONMENT)


class MachineFiles:
    """Files of a lab server, read and written as a user (None: SYSTEM)."""

    def __init__(self, machine: Machine, user: Any = None):
        self._machine = machine
        self._user = user

    def read(self, path: str) -> bytes | None:
        from winlab.windows.errors import WindowsError

        try:
            if not self._machine.fs.is_file(path):
                return None
            data: bytes = self._machine.fs.read_bytes(path, user=self._user)
            return data
        except WindowsError as error:
            if error.code in (2, 3):
                return None
            if error.code == 5:
                text = "Cannot read configuration file due to insufficient permissions"
                raise ConfigError(E_ACCESSDENIED, text, path) from error
            raise ConfigError(0x80070000 | error.code, "Cannot read configuration file", path) from error

    def write(self, path: str, data: bytes) -> None:
        """Beside the file first, then in its place, so that no reader meets half a file."""
        from winlab.windows.errors import WindowsError

        fs = self._machine.fs
        try:
            folder = path.rpartition("\\")[0]
            if not fs.is_dir(folder):
                raise ConfigError(E_PATH_NOT_FOUND, "Cannot write configuration file", path)
            temporary = f"{path}.{random_source.token_hex(4)}.tmp"
            if fs.exists(path):
                fs.open(path, "Open", "ReadWrite", "None", self._user).close()
            fs.write_bytes(temporary, data, user=self._user)
            try:
                if fs.exists(path) and ((security := fs.get_acl(path)).explicit or security.protected):
                    fs.set_acl(temporary, security)
                fs.move(temporary, path, replace=True, user=self._user)
            except WindowsError:
                fs.remove(temporary)
                raise
        except WindowsError as error:
            if error.code == 5:
                text = "Cannot write configuration file due to insufficient permissions"
                raise ConfigError(E_ACCESSDENIED, text, path) from error
            raise ConfigError(E_SHARING_VIOLATION, "Cannot write configuration file", path) from error

    def is_dir(self, path: str) -> bool:
        exists: bool = self._machine.fs.is_dir(path)
        return exists

    def signature(self, path: str) -> object:
        try:
            status = os.stat(self._machine.fs.host_path(path))
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def expand(self, text: str) -> str:
        return _expand(text, _ENVIRONMENT)


class MachineSecrets:
    """`[enc:Provider:...:enc]`: AES under a key of the server's own, so that a copied file cannot be read elsewhere."""

    def __init__(self, machine: Machine):
        self._machine = machine

    def encrypt(self, provider: str, text: str) -> str:
        padder = padding.PKCS7(128).padder()
        padded = padder.update(text.encode("utf-16-le")) + padder.finalize()
        vector = os.urandom(16)
        encryptor = Cipher(algorithms.AES(self._key(provider)), modes.CBC(vector)).encryptor()
        data = base64.b64encode(vector + encryptor.update(padded) + encryptor.finalize()).decode("ascii")
        return f"[enc:{provider}:{data}:enc]"

    def decrypt(self, stored: str) -> str:
        match = re.fullmatch(r"\[enc:(\w+):([A-Za-z0-9+/=]*):enc\]", stored)
        if not match:
            raise self._unreadable()
        provider, data = match.group(1), base64.b64decode(match.group(2))
        if not data:
            return ""
        try:
            decryptor = Cipher(algorithms.AES(self._key(provider)), modes.CBC(data[:16])).decryptor()
            padded = decryptor.update(data[16:]) + decryptor.finalize()
            unpadder = padding.PKCS7(128).unpadder()
            return (unpadder.update(padded) + unpadder.finalize()).decode("utf-16-le")
        except (ValueError, UnicodeDecodeError) as error:
            raise self._unreadable() from error

    def _key(self, provider: str) -> bytes:
        fs = self._machine.fs
        if not fs.is_file(KEY_FILE):
            fs.mkdir(KEY_FILE.rpartition("\\")[0], parents=True)
            fs.write_bytes(KEY_FILE, os.urandom(32))
        return hashlib.sha256(provider.encode("ascii") + fs.read_bytes(KEY_FILE)).digest()

    def _unreadable(self) -> ConfigError:
        return ConfigError(E_BAD_DATA, "Failed to decrypt attribute 'password'")


def machine_schema(machine: Machine) -> Schema:
    """The schema files in a server's inetsrv\\config\\schema, in the order IIS reads them (IIS_schema.xml first)."""
    fs = machine.fs
    names = sorted(
        (e.name for e in fs.listdir(SCHEMA_FOLDER)), key=lambda n: (n.lower() != "iis_schema.xml", n.lower())
    )
    return _load(tuple(fs.read_bytes(f"{SCHEMA_FOLDER}\\{n}") for n in names if n.lower().endswith(".xml")))


@cache
def _load(texts: tuple[bytes, ...]) -> Schema:
    """Servers with the same schema files share what was read from them."""
    return Schema.load(texts)


class _SchemaCache:
    def __init__(self, machine: Machine):
        self._machine = machine
        self._key: object = None
        self._schema = Schema()

    def __call__(self) -> Schema:
        from winlab.windows.errors import WindowsError

        try:
            entries = self._machine.fs.listdir(SCHEMA_FOLDER)
        except WindowsError as error:
            raise ConfigError(0x80070000 | error.code, "Cannot read configuration schema", SCHEMA_FOLDER) from error
        key = [(e.name, e.size, e.modified) for e in entries]
        if key != self._key:
            self._schema = machine_schema(self._machine)
            self._key = key
        return self._schema


def machine_store(machine: Machine) -> ConfigStore:
    """The configuration of a lab server (one store per server, shared by the service and by SYSTEM's callers)."""
    with machine.lock:
        store: ConfigStore | None = machine.__dict__.get("_iis_config_store")
        if store is None:
            store = ConfigStore(
                MachineFiles(machine), _SchemaCache(machine), secrets=MachineSecrets(machine), lock=machine.lock
            )
            machine.__dict__["_iis_config_store"] = store
        return store


def pool_names(machine: Machine) -> set[str]:
    """The application pools of a lab server, in lower case; applicationHost.config is read again when it has changed."""
    store = machine_store(machine)
    with store.lock:
        reader: Reader = machine.__dict__.setdefault("_iis_pool_reader", store.reader())
        reader.refresh()
        return {str(pool["name"]).lower() for pool in reader.pools()}


def user_store(machine: Machine, user: Any) -> ConfigStore:
    """The same configuration as a user's process reaches it: with that user's rights on the files, and the service's hooks."""
    shared = machine_store(machine)
    store = ConfigStore(MachineFiles(machine, user), shared._schema, secrets=shared.secrets, lock=shared.lock)
    store.runtime = shared.runtime
    store.on_commit = shared.on_commit
    return store
