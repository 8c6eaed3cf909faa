"""Windows Installer, for the lab's own packages.

A package of the lab is not an OLE compound file. It is text in UTF-8: the line `winlab-package 1`, then a JSON object with the properties that a real package
has in its Property table (ProductName, ProductVersion, ProductCode, UpgradeCode, Manufacturer, Platform) and `Action`, which names what installing it does.
The same package is the same bytes each time. A real .msi is refused with 1620.

Sources for codes and registry values: documentation of msiexec, "Uninstall Registry Key", reference of HttpPlatformHandler 1.2 and of
HTTP Bridge (its WiX source).
"""

from __future__ import annotations

import datetime
import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from winlab.windows import web
from winlab.windows.current import by_service
from winlab.windows.errors import WindowsError
from winlab.windows.store import Document

if TYPE_CHECKING:
    from winlab.windows.accounts import Token
    from winlab.windows.machine import Machine

MAGIC = b"winlab-package 1\r\n"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
UNINSTALL = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall"
_LAB = uuid.uuid5(uuid.NAMESPACE_DNS, "packages.winlab.invalid")

SUCCESS = 0
FAILURE = 1603
_NEEDED_BYTES = 1 << 20
UNKNOWN_PRODUCT = 1605
ALREADY_RUNNING = 1618
PACKAGE_OPEN_FAILED = 1619
PACKAGE_INVALID = 1620
PRODUCT_VERSION = 1638
INVALID_COMMAND_LINE = 1639
REBOOT_REQUIRED = 3010


def _code(name: str) -> str:
    return "{" + str(uuid.uuid5(_LAB, name)).upper() + "}"


PACKAGES: dict[str, dict[str, str]] = {
    "httpplatformhandler-1.2": {
        "ProductName": "Microsoft HTTP Platform Handler 1.2",
        "ProductVersion": "1.2.1959",
        "ProductCode": "{49FE726A-F8A3-426F-9448-337D47E355FA}",
        # the real one is not published; this one is the lab's
        "UpgradeCode": _code("httpplatformhandler-1 upgrade"),
        "Manufacturer": "Microsoft Corporation",
        "Platform": "x64",
        "Action": "httpplatformhandler-1.2",
    },
    "httpplatformhandler-2.0": {
        "ProductName": "IIS HttpPlatformHandler Module V2",
        "ProductVersion": "8.0.3.0",
        "ProductCode": _code("httpplatformhandler-2 8.0.3.0"),
        "UpgradeCode": "{6E038984-D117-4944-ACEA-3A7FAA317B4F}",
        "Manufacturer": "LeXtudio Inc.",
        "Platform": "x64",
        "Action": "httpplatformhandler-2.0",
    },
}
_ALIASES = {"httpplatformhandler": "httpplatformhandler-1.2", "httpbridge": "httpplatformhandler-2.0"}


def build_package(kind: str, **properties: str) -> bytes:
    """The bytes of a package: `httpplatformhandler-1.2` or `httpplatformhandler-2.0`. properties: replace some of the package's own (another version).

    KeyError for a kind that the lab does not have."""
    kind = _ALIASES.get(kind.lower(), kind.lower())
    table = {**PACKAGES[kind], **properties}
    return MAGIC + json.dumps(table, indent=1, sort_keys=True).encode() + b"\r\n"


@dataclass(frozen=True)
class Package:
    """The properties of a package."""

    name: str
    version: str
    product_code: str
    upgrade_code: str
    manufacturer: str
    platform: str
    action: str

    @staticmethod
    def read(data: bytes) -> Package:
        """WindowsError 1620 for anything but a package of the lab."""
        if data.startswith(_OLE):
            raise WindowsError(
                PACKAGE_INVALID, "This lab installs its own packages only; a real Windows Installer package is refused."
            )
        if not data.startswith(MAGIC):
            raise WindowsError(PACKAGE_INVALID)
        try:
            table = json.loads(data[len(MAGIC) :])
            package = Package(
                table["ProductName"],
                table["ProductVersion"],
                table["ProductCode"].upper(),
                table["UpgradeCode"].upper(),
                table["Manufacturer"],
                table["Platform"],
                table["Action"],
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WindowsError(PACKAGE_INVALID) from None
        if package.action not in PACKAGES:
            raise WindowsError(PACKAGE_INVALID, f"This lab has no package that does {package.action}.")
        return package


@dataclass
class Outcome:
    """How an installation ended, and the lines for its log."""

    code: int
    lines: list[str] = field(default_factory=list)


class Installer:
    """The Windows Installer service of one server: what is installed, and installing. One installation at a time."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.execution = threading.Lock()
        """Held while an installation runs (`_MSIExecute`); another one ends with 1618."""
        self._document = Document(machine.state_dir / "installer.json", {"products": {}})

    @property
    def products(self) -> dict[str, dict[str, Any]]:
        """Product code -> name, version, upgrade_code, action, source."""
        return self._document.data["products"]

    def find(self, product_code: str) -> dict[str, Any] | None:
        return self.products.get(product_code.upper())

    def related(self, upgrade_code: str) -> list[str]:
        """Codes of installed products with an upgrade code."""
        return [code for code, product in self.products.items() if product["upgrade_code"] == upgrade_code.upper()]

    # -- installing -----------------------------------------------------------------------------------------------------------------

    def install(self, path: str, user: Token | None = None, properties: dict[str, str] | None = None) -> Outcome:
        """Installs the package at a Windows path (again when it is installed). Outcome code: 0, 1603, 1618, 1619, 1620, 1638 or 3010."""
        return self._exclusive(lambda outcome: self._install(path, user, properties or {}, outcome))

    def uninstall(self, product: str, user: Token | None = None) -> Outcome:
        """product: a product code or the path of its package. Outcome code: 0, 1603, 1605, 1618, 1619, 1620."""
        return self._exclusive(lambda outcome: self._uninstall(product, user, outcome))

    def repair(self, product: str, user: Token | None = None) -> Outcome:
        """Writes files, registry and configuration of an installed product again. Outcome code: 0, 1603, 1605, 1618."""
        return self._exclusive(lambda outcome: self._repair(product, user, outcome))

    def _exclusive(self, work: Any) -> Outcome:
        outcome = Outcome(SUCCESS)
        if not self.execution.acquire(blocking=False):
            outcome.code = ALREADY_RUNNING
            outcome.lines.append("Failed to grab execution mutex. System error 258.")
            return outcome
        try:
            with by_service():
                work(outcome)
        except WindowsError as exc:
            outcome.code = exc.code if 1600 <= exc.code < 1700 else FAILURE
            outcome.lines.append(exc.message)
        finally:
            self.execution.release()
        outcome.lines.append(f"MainEngineThread is returning {outcome.code}")
        return outcome

    def _open(self, path: str, user: Token | None) -> Package:
        try:
            data = self.machine.fs.read_bytes(path, user)
        except WindowsError:
            raise WindowsError(PACKAGE_OPEN_FAILED) from None
        return Package.read(data)

    def _require_administrator(self, user: Token | None) -> None:
        if user is not None and not user.elevated:
            raise WindowsError(
                FAILURE,
                "You do not have sufficient privileges to complete this installation for all users of the machine.",
            )

    def _install(self, path: str, user: Token | None, properties: dict[str, str], outcome: Outcome) -> None:
        package = self._open(path, user)
        outcome.lines.append(
            f"Product: {package.name} -- Version: {package.version} -- ProductCode: {package.product_code}"
        )
        self._require_administrator(user)
        before = self.find(package.product_code)
        if before is not None and before["version"] != package.version:
            raise WindowsError(PRODUCT_VERSION)
        try:
            if (free := self.machine.fs.free_bytes) < _NEEDED_BYTES:
                # An installation that cannot end is undone, so here it does not begin.
                raise WindowsError(
                    FAILURE,
                    f"Out of disk space -- Volume: 'C:'; required space: {_NEEDED_BYTES >> 10} KB; available space: {free >> 10} KB.",
                )
            self._remove_related(package)
            self._act(package.action)
        except WindowsError as exc:
            self._event(11708, "Information", f"Product: {package.name} -- Installation failed.")
            self._event(1033, "Information", _summary(package, FAILURE))
            raise WindowsError(FAILURE, exc.message) from None
        self._register(package, path)
        self._event(11707, "Information", f"Product: {package.name} -- Installation completed successfully.")
        self._event(1033, "Information", _summary(package, SUCCESS))
        self.machine.hooks.fire("msi-installed", package)

    def _remove_related(self, package: Package) -> None:
        """A major upgrade: an older product with the same upgrade code goes first, a newer one stops the installation."""
        for code in self.related(package.upgrade_code):
            product = self.products[code]
            if code == package.product_code:
                continue
            if _version(product["version"]) > _version(package.version):
                raise WindowsError(FAILURE, "A newer version of this product is already installed.")
            self._remove(code)

    def _act(self, action: str) -> None:
        """What the package's files and custom actions do."""
        if not web.is_installed(self.machine):
            raise WindowsError(FAILURE, "IIS 8.0 or later is required. Install the Web Server role first.")
        web.install_platform_handler(self.machine, "1.2" if action.endswith("1.2") else "2")
        if action == "httpplatformhandler-2.0":
            key = self.machine.registry.create(
                "HKLM\\SOFTWARE\\Microsoft\\IIS Extensions\\IIS HttpPlatformHandler Module V2"
            )
            key.set("Install", 1)
            key.set("Version", PACKAGES[action]["ProductVersion"])

    def _undo(self, action: str) -> None:
        web.remove_platform_handler(self.machine, "1.2" if action.endswith("1.2") else "2")
        path = "HKLM\\SOFTWARE\\Microsoft\\IIS Extensions\\IIS HttpPlatformHandler Module V2"
        if action == "httpplatformhandler-2.0" and self.machine.registry.exists(path):
            self.machine.registry.delete(path)

    def _register(self, package: Package, source: str) -> None:
        self.products[package.product_code] = {
            "name": package.name,
            "version": package.version,
            "upgrade_code": package.upgrade_code,
            "action": package.action,
            "source": source,
        }
        self._document.save()
        numbers = _version(package.version)
        with self.machine.registry.batch():
            key = self.machine.registry.create(f"{UNINSTALL}\\{package.product_code}")
            values: dict[str, str | int] = {
                "DisplayName": package.name,
                "DisplayVersion": package.version,
                "Publisher": package.manufacturer,
                "InstallDate": f"{self.machine.now():%Y%m%d}",
                "InstallSource": source.rpartition("\\")[0] + "\\",
                "InstallLocation": "",
                "EstimatedSize": 1024,
                "Language": 1033,
                "Version": (numbers[0] << 24) | (numbers[1] << 16) | numbers[2],
                "VersionMajor": numbers[0],
                "VersionMinor": numbers[1],
                "WindowsInstaller": 1,
            }
            for name, value in values.items():
                key.set(name, value)
            for name in ("UninstallString", "ModifyPath"):
                key.set(name, f"MsiExec.exe /{'X' if name[0] == 'U' else 'I'}{package.product_code}", "ExpandString")
            product = self.machine.registry.create(
                f"HKLM\\SOFTWARE\\Classes\\Installer\\Products\\{packed(package.product_code)}"
            )
            product.set("ProductName", package.name)
            upgrade = self.machine.registry.create(
                f"HKLM\\SOFTWARE\\Classes\\Installer\\UpgradeCodes\\{packed(package.upgrade_code)}"
            )
            upgrade.set(packed(package.product_code), "")

    def _code_of(self, product: str, user: Token | None) -> str:
        code = product.strip().upper() if product.strip().startswith("{") else self._open(product, user).product_code
        if code not in self.products:
            raise WindowsError(UNKNOWN_PRODUCT)
        return code

    def _uninstall(self, product: str, user: Token | None, outcome: Outcome) -> None:
        code = self._code_of(product, user)
        self._require_administrator(user)
        name = self.products[code]["name"]
        self._remove(code)
        outcome.lines.append(f"Product: {name} -- Removal completed successfully.")

    def _remove(self, code: str) -> None:
        product = self.products[code]
        self._undo(product["action"])
        del self.products[code]
        self._document.save()
        registry = self.machine.registry
        with registry.batch():
            registry.delete(f"{UNINSTALL}\\{code}", recursive=True)
            registry.delete(f"HKLM\\SOFTWARE\\Classes\\Installer\\Products\\{packed(code)}", recursive=True)
            upgrade = registry.open(
                f"HKLM\\SOFTWARE\\Classes\\Installer\\UpgradeCodes\\{packed(product['upgrade_code'])}"
            )
            if upgrade.has(packed(code)):
                upgrade.delete_value(packed(code))
        self._event(11724, "Information", f"Product: {product['name']} -- Removal completed successfully.")
        self._event(
            1034,
            "Information",
            f"Windows Installer removed the product. Product Name: {product['name']}. Product Version: {product['version']}.",
        )
        self.machine.hooks.fire("msi-removed", product)

    def _repair(self, product: str, user: Token | None, outcome: Outcome) -> None:
        code = self._code_of(product, user)
        self._require_administrator(user)
        self._act(self.products[code]["action"])
        outcome.lines.append(f"Product: {self.products[code]['name']} -- Configuration completed successfully.")
        self._event(
            11728, "Information", f"Product: {self.products[code]['name']} -- Configuration completed successfully."
        )

    def _event(self, event_id: int, level: str, message: str) -> None:
        self.machine.eventlog.write("Application", "MsiInstaller", event_id, level, message)


def _summary(package: Package, status: int) -> str:
    return (
        f"Windows Installer installed the product. Product Name: {package.name}. Product Version: {package.version}. Product Language: 1033. "
        f"Manufacturer: {package.manufacturer}. Installation success or error status: {status}."
    )


def _version(text: str) -> tuple[int, int, int]:
    parts = [int(part) if part.isdigit() else 0 for part in text.split(".")] + [0, 0, 0]
    return parts[0], parts[1], parts[2]


def packed(code: str) -> str:
    """A GUID as the installer's keys write it: each group reversed."""
    a, b, c, d, e = code.strip("{}").split("-")
    return (
        a[::-1]
        + b[::-1]
        + c[::-1]
        + "".join(pair[::-1] for pair in (d[:2], d[2:], *(e[i : i + 2] for i in range(0, 12, 2))))
    )


def log_text(machine: Machine, command_line: str, outcome: Outcome) -> bytes:
    """A verbose log as msiexec writes it (UTF-16 with a byte order mark)."""
    now: datetime.datetime = machine.now()
    stamp = f"{now:%m/%d/%Y}  {now:%H:%M:%S}"
    lines = [
        f"=== Verbose logging started: {stamp}  Build type: SHIP UNICODE 5.00.10011.00  Calling process: C:\\Windows\\system32\\msiexec.exe ===",
        f"MSI (c) (00:00) [{now:%H:%M:%S}:000]: Client-side and UI is none or basic: Running entire install on the server.",
        f"MSI (c) (00:00) [{now:%H:%M:%S}:000]: Command Line: {command_line}",
        *(f"MSI (s) (00:00) [{now:%H:%M:%S}:000]: {line}" for line in outcome.lines),
        f"=== Verbose logging stopped: {stamp} ===",
    ]
    return b"\xff\xfe" + "".join(line + "\r\n" for line in lines).encode("utf-16-le")
