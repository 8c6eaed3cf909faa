"""python.exe of a simulated server: the machine's own Python, made to look as installed on Windows.

What crosses into the real process is translated by this rule. Arguments and values of environment variables are looked at as a whole, or after `name=` /
`--option=`: an absolute path on a simulated drive (`C:\\x`, `C:/x`) becomes the host's path; a list of such paths separated by semicolons becomes a list
separated by colons; `scheme:///C:/x` keeps its scheme. A relative path with backslashes becomes one with slashes when the folder it lies in exists below the
working directory. The text after `-c` and everything inside files stays as it is. Names of environment variables are upper case, as Windows' Python shows them.
"""

from __future__ import annotations

import configparser
import hashlib
import io
import itertools
import json
import os
import platform
import re
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from winlab.windows import acl, cmdline, images, python_shim
from winlab.windows.errors import WindowsError
from winlab.windows.images import Image
from winlab.windows.native import NativeChild

if TYPE_CHECKING:
    from winlab.windows.accounts import Token
    from winlab.windows.machine import Machine
    from winlab.windows.processes import Process

RC_NO_PYTHON = 103
RC_CREATE_PROCESS = 101
STATUS_DLL_NOT_FOUND = 0xC0000135
_FILE_SYSTEM = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem"
_DRIVE_PATH = re.compile(r"[A-Za-z]:[\\/]")
_NAMED = re.compile(r"(-{0,2}[A-Za-z_][\w.\-]*=)(.+)", re.DOTALL)
_URL = re.compile(r"([A-Za-z][\w+.\-]*):///([A-Za-z]:/.*)", re.DOTALL)
_KEPT = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
_counter = itertools.count().__next__
VERSION = platform.python_version()
TAG = f"python{sys.version_info[0]}{sys.version_info[1]}"


def python_stub(version: str = VERSION) -> bytes:
    """The content of python.exe: a script that starts the server's Python (kept beside drive C:) under its own name."""
    return (
        f"#!/bin/sh\n# winlab-python: {version}\n"
        'case $0 in /*) i=$0 ;; *) i=$PWD/$0 ;; esac\nd=$i\nwhile [ -n "$d" ]; do\n  d=${d%/*}\n'
        '  if [ -x "$d/.python/bin/python3" ]; then\n'
        '    WINLAB_IMAGE=$i LC_CTYPE=C.UTF-8 exec "$d/.python/bin/python3" "$@"\n  fi\ndone\n'
        'echo "python.exe: not on a drive of the lab" >&2\nexit 103\n'
    ).encode()


# -- the interpreter of a server


def prepare(machine: Machine) -> Path:
    """The server's link to this machine's Python, with the shim; made when it is first needed. Returns the executable."""
    folder = machine.state_dir / ".python"
    executable = folder / "bin" / "python3"
    base = Path(getattr(sys, "_base_executable", None) or sys.executable)
    shim = Path(python_shim.__file__).read_text("utf-8")
    packages = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    with machine.lock:
        known = packages / "_winlab_shim.py"
        if (
            executable.is_symlink()
            and executable.readlink() == base
            and known.is_file()
            and known.read_text("utf-8") == shim
        ):
            return executable
        executable.parent.mkdir(parents=True, exist_ok=True)
        packages.mkdir(parents=True, exist_ok=True)
        executable.unlink(missing_ok=True)
        executable.symlink_to(base)
        (folder / "pyvenv.cfg").write_text(
            f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {VERSION}\n"
        )
        known.write_text(shim, "utf-8")
        (packages / "winlab.pth").write_text("import sys, _winlab_shim; sys.modules.pop('_winlab_shim')\n")
    return executable


def start_python(process: Process, kind: Image) -> None:
    """Starts the real process of a simulated python.exe or script launcher. Windows' own launchers' refusals end it with their exit codes."""
    machine = process.machine
    arguments = cmdline.split(process.command_line)[1:]
    image = process.image
    if kind.kind == "launcher":
        if not machine.fs.is_file(kind.name):
            _refuse(
                process,
                1,
                (
                    f'Fatal error in launcher: Unable to create process using \'"{kind.name}"  "{image}" '
                    f"{' '.join(arguments)}': The system cannot find the file specified."
                ),
            )
            return
        arguments = [image, *arguments]
        image = machine.fs.stored_path(kind.name)
    base = base_python(machine, image)
    process.base_python = base if base != process.image else None
    if not _can_start(process, image, base):
        return
    executable = prepare(machine)
    for path in {image, base, process.image}:
        _make_executable(machine.fs.host_path(path))
    env = environment(machine, process.env, process.user)
    env["WINLAB_IMAGE"] = str(machine.fs.host_path(image))
    if not machine.registry.get(_FILE_SYSTEM, "LongPathsEnabled", 0):
        env["WINLAB_MAX_PATH"] = "259"
    rules = restrictions(machine, process.user)
    if rules:
        env["WINLAB_RIGHTS"] = str(_rights_file(machine, rules))
    cwd = str(machine.fs.host_path(process.cwd))
    command = [str(executable), *translate_arguments(machine, arguments, process.cwd)]
    # files that a restricted identity makes are told by their mode: they are its own
    native = NativeChild(process, command, env, cwd, umask=0o077 if rules else -1)
    if not _serves(process):
        native.step_back()
    machine.processes.changed()
    if process.killed:
        native.kill()


def _serves(process: Process) -> bool:
    """Whether a process belongs to a worker process of IIS, directly or through others."""
    above = process.parent
    while above is not None and above.name.lower() != "w3wp.exe":
        above = above.parent
    return above is not None


def _rights_file(machine: Machine, rules: list[list[object]]) -> Path:
    """A file with the rules (an environment variable has no room for many), shared by processes for which they are the same."""
    text = json.dumps(rules)
    path = machine.state_dir / ".python" / "rights" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.{_counter()}")
        partial.write_text(text)
        partial.replace(path)
    return path


def _make_executable(path: Path) -> None:
    mode = path.stat().st_mode
    if not mode & 0o100:
        path.chmod(mode | 0o111)


def _refuse(process: Process, code: int, message: str) -> None:
    if process.stderr is not None:
        process.stderr.write((message + "\r\n").encode("cp1252", "replace"))
    process.finish(code)


def config_of(machine: Machine, image: str) -> dict[str, str]:
    """pyvenv.cfg of the virtual environment that an interpreter belongs to; {} for a base interpreter."""
    folder = image.rpartition("\\")[0]
    for candidate in (folder, folder.rpartition("\\")[0]):
        path = candidate.rstrip("\\") + "\\pyvenv.cfg"
        if machine.fs.is_file(path):
            lines = machine.fs.read_bytes(path).decode("utf-8", "replace").splitlines()
            return {name.strip().lower(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    return {}


def base_python(machine: Machine, image: str) -> str:
    """The interpreter that really runs: for a virtual environment's launcher the one in `home`."""
    home = config_of(machine, image).get("home")
    return f"{home.rstrip(chr(92))}\\{image.rpartition(chr(92))[2]}" if home else image


def _can_start(process: Process, image: str, base: str) -> bool:
    """What keeps a Python from starting on Windows: no base interpreter, no right to it, its DLL or its library missing."""
    machine, user = process.machine, process.user
    if base != image:
        # the launcher asks for the file's attributes; not being let see it is the same to it as its not being there
        if not machine.fs.is_file(base) or not machine.fs.access(base, user) & acl.READ_ATTRIBUTES:
            _refuse(process, RC_NO_PYTHON, f"No Python at '\"{base}'")
            return False
        try:
            machine.fs.check_access(base, acl.EXECUTE | acl.READ_DATA, user)
        except WindowsError:
            _refuse(
                process, RC_CREATE_PROCESS, f"Unable to create process using '\"{base}\" {_rest(process.command_line)}'"
            )
            return False
    home = base.rpartition("\\")[0]
    if not machine.fs.is_file(f"{home}\\{TAG}.dll"):
        process.finish(STATUS_DLL_NOT_FOUND)
        return False
    try:
        machine.fs.check_access(f"{home}\\Lib\\os.py", acl.READ_DATA, user)
    except WindowsError:
        _refuse(
            process,
            1,
            "Fatal Python error: init_fs_encoding: failed to get the Python codec of the filesystem encoding\r\n"
            "Python runtime state: core initialized\r\nModuleNotFoundError: No module named 'encodings'",
        )
        return False
    return True


def _rest(command_line: str) -> str:
    return cmdline.join(cmdline.split(command_line)[1:])


# -- what crosses


def translate(machine: Machine, text: str, cwd: str | None = None) -> str:
    """A value that goes into a real process, by the rule at the head of this module. cwd: where relative paths count from (None: they stay)."""
    if "\\" not in text and ":" not in text:
        return text
    if _DRIVE_PATH.match(text):
        parts = text.split(";")
        if all(not part.strip('" ') or _DRIVE_PATH.match(part.strip('" ')) for part in parts):
            return ":".join(_host(machine, part.strip('" ')) for part in parts if part.strip('" '))
        return _host(machine, text)
    if match := _URL.match(text):
        host = _host(machine, match[2])
        return f"{match[1]}://{host}" if match[1].lower() == "file" else f"{match[1]}:///{host}"
    if match := _NAMED.match(text):
        return match[1] + translate(machine, match[2], cwd)
    if cwd is not None and "\\" in text and not text.startswith("-"):
        return _relative(machine, text, cwd)
    return text


def _host(machine: Machine, path: str) -> str:
    """The host's path of an absolute Windows path; a path that Windows would refuse stays as it is."""
    try:
        host = str(machine.fs.host_path(machine.fs.resolve(path)))
    except WindowsError:
        return path
    return host + "/" if path.endswith(("\\", "/")) and not host.endswith("/") else host


def _relative(machine: Machine, text: str, cwd: str) -> str:
    try:
        full = machine.fs.resolve(text, cwd)
        folder = full.rstrip("\\").rpartition("\\")[0]
        if not machine.fs.is_dir(folder + "\\"):
            return text
        host = machine.fs.host_path(full)
        return os.path.relpath(host, machine.fs.host_path(cwd))
    except WindowsError:
        return text


def translate_arguments(machine: Machine, arguments: list[str], cwd: str) -> list[str]:
    """Arguments of python.exe; the code after `-c` stays."""
    result: list[str] = []
    code = False
    in_options = True
    for argument in arguments:
        result.append(argument if code else translate(machine, argument, cwd))
        code = in_options and argument == "-c"
        if not argument.startswith("-"):
            in_options = False
    return result


def environment(machine: Machine, env: object, user: Token) -> dict[str, str]:
    """The real process's environment block: the simulated one translated, and of this machine's own what pip and TLS need."""
    result: dict[str, str] = {}
    for name, value in dict(env).items():  # type: ignore[call-overload]
        if "\0" not in value and "=" not in name:
            result[name.upper()] = _path_list(machine, value) if name.upper() == "PATH" else translate(machine, value)
    # the library is this machine's own, wherever the simulated interpreter lies
    result.pop("PYTHONHOME", None)
    result["PATH"] = result.get("PATH", "") + (":" if result.get("PATH") else "") + "/usr/bin:/bin"
    result["HOME"] = result.get("USERPROFILE") or str(machine.fs.host_path("C:\\Windows\\Temp"))
    for name in ("TEMP", "TMP"):
        if name in result:
            Path(result[name]).mkdir(parents=True, exist_ok=True)
    result.setdefault("TMPDIR", result.get("TEMP", str(machine.fs.host_path("C:\\Windows\\Temp"))))
    for name, value in os.environ.items():
        if name.upper() in _KEPT or (name.startswith("PIP_") and name != "PIP_USER"):
            result.setdefault(name, value)
    for name, value in _pip_settings().items():
        result.setdefault(name, value)
    result.setdefault("PIP_CACHE_DIR", str(_cache_dir()))
    result["LC_CTYPE"] = "C.UTF-8"
    return result


def _path_list(machine: Machine, value: str) -> str:
    parts = [part.strip('" ') for part in value.split(";")]
    return ":".join(_host(machine, part) for part in parts if _DRIVE_PATH.match(part))


def _cache_dir() -> Path:
    """Where this machine's pip keeps what it has downloaded."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "pip"


def _pip_settings() -> dict[str, str]:
    """The user's pip configuration of this machine as PIP_ variables: the simulated user has another home."""
    config_home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    result: dict[str, str] = {}
    for path in (
        Path.home() / ".pip" / "pip.conf",
        Path(config_home) / "pip" / "pip.conf",
        Path(sys.prefix) / "pip.conf",
    ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, "utf-8")
        except (configparser.Error, OSError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                for name, value in parser.items(section):
                    result["PIP_" + name.upper().replace("-", "_")] = " ".join(value.split())
    return result


def restrictions(machine: Machine, user: Token) -> list[list[object]]:
    """What an identity may do where, for the shim: objects with entries of their own, folders before what is in them; [] for administrators.

    Each item: host path; then whether it may read files there, write to those of others, make files in the folder, in folders below it, make
    folders in it, in folders below it. Inside the process this stands for the access checks of the kernel."""
    if user.elevated or user.is_system:
        return []
    fs = machine.fs
    result: list[list[object]] = []
    for path in ["C:\\", *fs.paths_with_own_acl()]:
        own = fs.access(path, user)
        if fs.is_dir(path):
            file, folder = fs.access_below(path, user, False), fs.access_below(path, user, True)
            masks = (
                (file, acl.READ_DATA),
                (file, acl.WRITE_DATA),
                (own, acl.ADD_FILE),
                (folder, acl.ADD_FILE),
                (own, acl.ADD_SUBDIRECTORY),
                (folder, acl.ADD_SUBDIRECTORY),
            )
        else:
            masks = ((own, acl.READ_DATA), (own, acl.WRITE_DATA)) + ((0, 1),) * 4
        result.append([str(fs.host_path(path)), *(bool(mask & bit) for mask, bit in masks)])
    return result


# -- the distribution


def build_distribution() -> bytes:
    """A Python for Windows as the lab has it, as a zip archive: the same bytes on the same machine each time.

    python.exe, pythonw.exe and the DLLs are stubs of the lab; `Lib` holds a few files as landmarks (the machine's own library is used), and pip."""
    return _archive(_distribution())


def build_nuget() -> bytes:
    """The same as a NuGet package: everything below `tools/`, and a manifest."""
    files = {f"tools/{name}": data for name, data in _distribution().items()}
    files["python.nuspec"] = (
        '<?xml version="1.0"?>\r\n<package xmlns="http://schemas.microsoft.com/packaging/2012/06/nuspec.xsd"><metadata>'
        f"<id>python</id><version>{VERSION}</version><title>Python</title><authors>Python Software Foundation</authors>"
        "<description>Installs 64-bit Python for use in build scenarios.</description></metadata></package>\r\n"
    ).encode()
    files["[Content_Types].xml"] = (
        b'<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        b'<Default Extension="nuspec" ContentType="application/octet" /><Default Extension="exe" ContentType="application/octet" /></Types>'
    )
    return _archive(files)


def build_installer() -> bytes:
    """The same as an installer with the options of python.org's: a program of the lab (`python-setup`) that carries the archive."""
    stub = images.program_stub(
        "python-setup", f"{VERSION}150.0", f"Python {VERSION} (64-bit)", "Python Software Foundation"
    )
    return stub.ljust(4096, b"\0") + build_distribution()


def _distribution() -> dict[str, bytes]:
    """Path (with slashes) -> content of an installed Python."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    files: dict[str, bytes] = {name: python_stub() for name in ("python.exe", "pythonw.exe")}
    for name in (TAG, "python3", "vcruntime140", "vcruntime140_1"):
        files[f"{name}.dll"] = b"MZ\x90\x00" + f"winlab stub of {name}.dll for Python {VERSION}\r\n".encode()
    for name in ("os.py", "site.py", "encodings/__init__.py", "venv/__init__.py", "ensurepip/__init__.py"):
        if (stdlib / name).is_file():
            files[f"Lib/{name}"] = (stdlib / name).read_bytes()
    files["LICENSE.txt"] = _license(stdlib)
    files["Lib/site-packages/README.txt"] = (
        b"This directory exists so that 3rd party packages can be installed here.\r\n"
    )
    files["DLLs/_lab.txt"] = b"The machine's own extension modules are used.\r\n"
    files["libs/_lab.txt"] = b"The machine's own libraries are used.\r\n"
    files |= {f"Lib/site-packages/{name}": data for name, data in _bundled_pip().items()}
    return files


def _archive(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0
            file.writestr(info, files[name])
    return archive.getvalue()


def _license(stdlib: Path) -> bytes:
    path = stdlib / "LICENSE.txt"
    return path.read_bytes() if path.is_file() else b"Python is under the PSF License Agreement.\r\n"


def _bundled_pip() -> dict[str, bytes]:
    """The files of the pip wheel that ensurepip carries; {} where the machine's Python has none."""
    import ensurepip

    folders = [Path(ensurepip.__file__).parent / "_bundled"]
    packaged = sysconfig.get_config_var("WHEEL_PKG_DIR")
    folders += [Path(packaged)] if packaged else []
    for folder in folders:
        for wheel in sorted(folder.glob("pip-*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    return {}
