"""Python's installer (`python-X.Y.Z-amd64.exe`): /quiet, /passive, /uninstall, /log and the options of its documentation.

Sources: "Using Python on Windows", installing without UI; WiX's burn, whose /quiet restarts by itself, and PythonBootstrapperApplication.cpp, which lets it.
"""

from __future__ import annotations

import io
import uuid
import zipfile

from winlab.windows import msi, python
from winlab.windows.errors import WindowsError
from winlab.windows.processes import ProgramContext

_KNOWN = frozenset(
    {
        "installallusers",
        "targetdir",
        "defaultalluserstargetdir",
        "defaultjustformetargetdir",
        "defaultcustomtargetdir",
        "associatefiles",
        "compileall",
        "prependpath",
        "appendpath",
        "shortcuts",
        "include_doc",
        "include_debug",
        "include_dev",
        "include_exe",
        "include_launcher",
        "installlauncherallusers",
        "include_lib",
        "include_pip",
        "include_symbols",
        "include_tcltk",
        "include_test",
        "include_tools",
        "launcheronly",
        "simpleinstall",
    }
)
_BUNDLE = "{" + str(uuid.uuid5(uuid.NAMESPACE_DNS, "python.packages.winlab.invalid")).upper() + "}"
_ASIDE = "C:\\Config.Msi"
_ENVIRONMENT = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"


def main(ctx: ProgramContext) -> int:
    """Installs or removes; 0, 1602 (it would have to ask), 1603, 1605 (nothing to remove), 1639, 3010 (files were in use).

    A quiet bundle of WiX restarts the server in the last case, unless /norestart forbids it."""
    quiet = uninstall = False
    may_restart = True
    options: dict[str, str] = {}
    arguments = ctx.argv[1:]
    index = 0
    while index < len(arguments):
        lowered = (
            arguments[index].lower().replace("-", "/", 1) if arguments[index][:1] in "/-" else arguments[index].lower()
        )
        name, equals, value = arguments[index].partition("=")
        if lowered in ("/quiet", "/passive"):
            quiet = True
        elif lowered in ("/uninstall", "/repair", "/install"):
            uninstall = uninstall or lowered == "/uninstall"
        elif lowered == "/norestart":
            may_restart = False
        elif lowered == "/log":
            index += 1
        elif equals and name.lower() in _KNOWN:
            options[name.lower()] = value
        else:
            return ctx.fail(f"{arguments[index]}: an option of Python's installer that this lab does not know.", 1639)
        index += 1
    if not quiet:
        return ctx.fail("The installer's window is not simulated by this lab: give /quiet.", 1602)
    try:
        code = _uninstall(ctx) if uninstall else _install(ctx, options)
    except WindowsError as exc:
        return ctx.fail(str(exc), 1603)
    if code == msi.REBOOT_REQUIRED and may_restart:
        ctx.machine.schedule_shutdown(0, reboot=True, user=ctx.user.name)
    return code


def _make_way(ctx: ProgramContext, path: str) -> bool:
    """Takes away what is at a path; true when it is in use and only put aside, as Windows Installer does, to go with the next restart."""
    fs = ctx.machine.fs
    if not fs.is_file(path):
        return False
    try:
        fs.remove(path, ctx.user)
    except WindowsError:
        fs.mkdir(_ASIDE, parents=True)
        fs.move(path, f"{_ASIDE}\\{uuid.uuid4().hex[:7]}.rbf", user=ctx.user)
        return True
    return False


def _hive(ctx: ProgramContext, all_users: bool) -> str:
    if all_users and not ctx.user.elevated:
        raise WindowsError(5)
    return "HKLM" if all_users else f"HKU\\{ctx.user.sid}"


def _default_folder(ctx: ProgramContext, all_users: bool) -> str:
    name = python.TAG.title()
    return (
        f"C:\\Program Files\\{name}" if all_users else f"{ctx.env.get('LOCALAPPDATA', 'C:')}\\Programs\\Python\\{name}"
    )


def _install(ctx: ProgramContext, options: dict[str, str]) -> int:
    fs, registry = ctx.machine.fs, ctx.machine.registry
    all_users = options.get("installallusers") == "1"
    hive = _hive(ctx, all_users)
    folder = ctx.resolve(options.get("targetdir") or _default_folder(ctx, all_users)).rstrip("\\")
    in_use = False
    with zipfile.ZipFile(io.BytesIO(fs.read_bytes(ctx.process.image))) as archive:
        for name in archive.namelist():
            if options.get("include_pip") == "0" and name.startswith("Lib/site-packages/pip"):
                continue
            ctx.check()
            path = f"{folder}\\{name}".replace("/", "\\")
            fs.mkdir(path.rpartition("\\")[0], parents=True, user=ctx.user)
            in_use |= _make_way(ctx, path)
            fs.write_bytes(path, archive.read(name), ctx.user)
    version = ".".join(python.VERSION.split(".")[:2])
    with registry.batch():
        core = registry.create(f"{hive}\\SOFTWARE\\Python\\PythonCore\\{version}")
        for name, value in {
            "DisplayName": f"Python {version} (64-bit)",
            "Version": python.VERSION,
            "SysVersion": version,
            "SysArchitecture": "64bit",
        }.items():
            core.set(name, value)
        path_key = registry.create(f"{hive}\\SOFTWARE\\Python\\PythonCore\\{version}\\InstallPath")
        for name, value in {
            "": folder + "\\",
            "ExecutablePath": f"{folder}\\python.exe",
            "WindowedExecutablePath": f"{folder}\\pythonw.exe",
        }.items():
            path_key.set(name, value)
        entry = registry.create(f"{hive}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\{_BUNDLE}")
        for name, value in {
            "DisplayName": f"Python {python.VERSION} (64-bit)",
            "DisplayVersion": f"{python.VERSION}150.0",
            "Publisher": "Python Software Foundation",
            "InstallLocation": folder,
            "UninstallString": f'"{ctx.process.image}"  /uninstall',
            "QuietUninstallString": f'"{ctx.process.image}" /uninstall /quiet',
        }.items():
            entry.set(name, value)
    if options.get("prependpath") == "1" or options.get("appendpath") == "1":
        _add_to_path(ctx, folder, all_users, options.get("prependpath") == "1")
    return msi.REBOOT_REQUIRED if in_use else 0


def _add_to_path(ctx: ProgramContext, folder: str, all_users: bool, first: bool) -> None:
    key = ctx.machine.registry.create(_ENVIRONMENT if all_users else f"HKU\\{ctx.user.sid}\\Environment")
    own = f"{folder}\\Scripts\\;{folder}\\"
    before = str(key.get("Path", ""))
    if own not in before:
        parts = [own, before] if first else [before, own]
        key.set("Path", ";".join(part for part in parts if part), "ExpandString")


def _uninstall(ctx: ProgramContext) -> int:
    registry = ctx.machine.registry
    for hive in ("HKLM", f"HKU\\{ctx.user.sid}"):
        path = f"{hive}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\{_BUNDLE}"
        if not registry.exists(path):
            continue
        _hive(ctx, hive == "HKLM")
        folder = str(registry.get(path, "InstallLocation"))
        fs, in_use = ctx.machine.fs, False
        if fs.exists(folder):
            for _, _, files in list(fs.walk(folder)):
                for file in files:
                    in_use |= _make_way(ctx, file.path)
            fs.rmtree(folder, ctx.user, force=True)
        version = ".".join(python.VERSION.split(".")[:2])
        registry.delete(f"{hive}\\SOFTWARE\\Python\\PythonCore\\{version}", recursive=True)
        registry.delete(path, recursive=True)
        return msi.REBOOT_REQUIRED if in_use else 0
    return 1605
