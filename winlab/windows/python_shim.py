"""Runs inside the machine's own Python when it is started as a simulated server's python.exe: makes it lay out and write files as Windows' Python does.

It is copied into the state of each server and loaded by a `.pth` file before the program's code. Only the standard library is at hand, nothing else of the lab.
What it changes: prefixes, `Lib\\site-packages`, `Scripts`, `Include`, virtual environments with a launcher and Windows paths in pyvenv.cfg, launchers
(`.exe`) for scripts, the ANSI code page and CR LF for text, for a restricted identity, which files can be opened, and, on a drive
with little space left, how much can be written.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

IMAGE = "WINLAB_IMAGE"
RIGHTS = "WINLAB_RIGHTS"
MAX_PATH = "WINLAB_MAX_PATH"
FREE_SPACE = os.path.join(".python", "free-space")
"""Beside the drive: how many bytes may still be written to it."""
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
TAG = f"Python{sys.version_info[0]}{sys.version_info[1]}"


def drive_of(image: str) -> str:
    """The host's folder of drive C: that the image lies on."""
    folder = os.path.dirname(image)
    while folder != os.path.dirname(folder):
        parent = os.path.dirname(folder)
        if os.path.isdir(os.path.join(parent, ".python")) and os.path.basename(folder) == "C":
            return folder
        folder = parent
    raise SystemExit("winlab: " + image + " is not on a drive of the lab")


def to_windows(path: str, drive: str) -> str:
    """The Windows path of a host path on the drive."""
    path = os.path.abspath(path)
    if path == drive or path.startswith(drive + "/"):
        return "C:\\" + path[len(drive) + 1 :].replace("/", "\\")
    return path


def to_host(path: str, drive: str) -> str:
    """The host path of a Windows path; names that exist are matched without case."""
    host = drive
    for part in path[2:].replace("\\", "/").split("/"):
        if not part:
            continue
        step = os.path.join(host, part)
        if not os.path.lexists(step) and os.path.isdir(host):
            step = next((os.path.join(host, name) for name in os.listdir(host) if name.upper() == part.upper()), step)
        host = step
    return host


def read_config(image: str) -> tuple[str, dict[str, str]]:
    """(folder, settings) of the virtual environment an image belongs to; its own folder and {} for a base interpreter."""
    folder = os.path.dirname(image)
    for candidate in (folder, os.path.dirname(folder)):
        path = os.path.join(candidate, "pyvenv.cfg")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                pairs = [line.split("=", 1) for line in file if "=" in line]
            return candidate, {name.strip().lower(): value.strip() for name, value in pairs}
    return folder, {}


class Layout:
    """Where things are for the interpreter that the program believes to be."""

    def __init__(self, image: str) -> None:
        self.image = image
        self.drive = drive_of(image)
        self.prefix, config = read_config(image)
        self.is_venv = "home" in config
        home = to_host(config["home"], self.drive) if self.is_venv else self.prefix
        self.base_prefix = home
        self.base_image = os.path.join(home, "python.exe") if self.is_venv else image
        self.system_site = config.get("include-system-site-packages", "").lower() == "true"

    @property
    def prefixes(self) -> list[str]:
        """The folders whose `Lib\\site-packages` count."""
        return [self.prefix] + ([self.base_prefix] if self.is_venv and self.system_site else [])


def apply(layout: Layout) -> None:
    """Changes sys and site."""
    import site

    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != own]
    sys.executable = layout.image
    sys._base_executable = layout.base_image  # type: ignore[attr-defined]
    sys.prefix = sys.exec_prefix = layout.prefix
    sys.base_prefix = sys.base_exec_prefix = layout.base_prefix
    # site is at work on the folders of the interpreter that loaded this file; it goes on with what this says
    site.getsitepackages = lambda prefixes=None: [
        entry
        for prefix in (prefixes or layout.prefixes)
        for entry in (prefix, os.path.join(prefix, "Lib", "site-packages"))
    ]
    user = not layout.is_venv and not sys.flags.no_user_site and "APPDATA" in os.environ
    site.ENABLE_USER_SITE = user
    site.USER_BASE = os.path.join(os.environ.get("APPDATA", layout.prefix), "Python")
    site.USER_SITE = os.path.join(site.USER_BASE, TAG, "site-packages")
    if user and os.path.isdir(site.USER_SITE):
        site.addsitedir(site.USER_SITE)


def change_streams() -> None:
    """Standard streams of a Windows program without a console: the ANSI code page unless UTF-8 is asked for, CR LF on output."""
    utf8 = sys.flags.utf8_mode or "PYTHONIOENCODING" in os.environ
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:
            options = (
                {} if utf8 else {"encoding": "cp1252", "errors": "strict" if name == "stdout" else "backslashreplace"}
            )
            stream.reconfigure(newline="\r\n", **options)
    stdin: Any = sys.stdin
    if stdin is not None:
        stdin.reconfigure(newline=None, **({} if utf8 else {"encoding": "cp1252", "errors": "strict"}))


def change_open() -> None:
    """Text files: the ANSI code page where no encoding is given (unless in UTF-8 mode), CR LF when written."""
    import builtins
    import io

    original = io.open

    def open(  # type: ignore[no-untyped-def]
        file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None
    ):
        if isinstance(mode, str) and "b" not in mode:
            if encoding in (None, "locale") and not sys.flags.utf8_mode:
                encoding = "cp1252"
            if newline is None and "+" not in mode and "r" not in mode:
                newline = "\r\n"
        return original(file, mode, buffering, encoding, errors, newline, closefd, opener)

    open.__doc__ = original.__doc__
    open.__module__ = "_io"
    builtins.open = io.open = open


class FreeSpace:
    """What may still be written to the drive, counted by the lab and by the Python processes of a server together.

    path: a file with the number of bytes; without it there is no limit."""

    def __init__(self, path: str) -> None:
        self.path = path

    def change(self, step: Callable[[int], int]) -> tuple[int, int]:
        """Replaces the number by what `step` makes of it; returns both. FileNotFoundError: there is no limit any more."""
        import fcntl

        descriptor = os.open(self.path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            before = int(os.pread(descriptor, 30, 0))
            after = step(before)
            os.pwrite(descriptor, b"%-30d" % after, 0)
            return before, after
        finally:
            os.close(descriptor)

    def take(self, count: int) -> int:
        """Takes up to `count` bytes; returns how many there were."""
        try:
            before, after = self.change(lambda left: max(left - count, 0))
        except FileNotFoundError:
            return count
        return before - after

    def take_all(self, count: int) -> bool:
        """Takes `count` bytes or none; whether they were there."""
        try:
            before, after = self.change(lambda left: left - count if count <= left else left)
        except FileNotFoundError:
            return True
        return before - after == count

    def give(self, count: int) -> None:
        try:
            self.change(lambda left: left + count)
        except FileNotFoundError:
            pass


def limit_space(space: FreeSpace, drive: str) -> None:
    """Files of the drive take what is left of its space: writing more is ENOSPC, as Windows' C library says for error 112.

    Covers what Python code writes to files that are opened from now on, and os.write; not byte code caches nor C libraries that write themselves."""
    import builtins
    import errno
    import io

    original, write = io.open, os.write

    def below(file: object) -> bool:
        try:
            path = os.readlink(f"/proc/self/fd/{file}") if isinstance(file, int) else os.path.abspath(os.fsdecode(file))  # type: ignore[arg-type]
        except (OSError, TypeError):
            return False
        return path.startswith(drive + "/")

    def allowed(data: Any) -> memoryview:
        view = memoryview(data).cast("B")
        taken = space.take(len(view))
        if len(view) and not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return view[:taken]

    class Counted(io.FileIO):
        def write(self, data: Any) -> int:
            return super().write(allowed(data))

    def open(  # type: ignore[no-untyped-def]
        file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None
    ):
        if not isinstance(mode, str) or not set(mode) & set("wax+") or not below(file):
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if "w" in mode and not isinstance(file, int) and os.path.isfile(file):
            space.give(os.path.getsize(file))
        raw = Counted(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0 and "b" in mode:
            return raw
        size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
        buffered: Any = (io.BufferedRandom if "+" in mode else io.BufferedWriter)(raw, size)
        if "b" in mode:
            return buffered
        text = io.TextIOWrapper(buffered, encoding, errors, newline, line_buffering=buffering == 1)
        text.mode = mode  # type: ignore[misc]
        return text

    def counted_write(descriptor: int, data: Any) -> int:
        return write(descriptor, allowed(data) if below(descriptor) else data)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("os.remove", "os.rename"):
            # what is removed, or replaced by what is renamed, with the folder that it is relative to
            gone, folder = arguments if event == "os.remove" else (arguments[1], arguments[3])
            try:
                found = os.stat(gone, dir_fd=folder if folder != -1 else None, follow_symlinks=False)
            except OSError:
                return
            if found.st_nlink == 1 and (below(gone) or folder != -1):
                space.give(found.st_size)

    builtins.open = io.open = open
    os.write = counted_write
    sys.addaudithook(hook)


def patch_shutil(module, layout: Layout) -> None:  # type: ignore[no-untyped-def]
    """Windows has no way of copying past the program, so what is copied is counted as it is written."""
    module._USE_CP_SENDFILE = False


class Rights:
    """What the identity may do where. rules: a JSON file, see winlab.windows.python.restrictions. Its own files are those that only their owner can read."""

    def __init__(self, layout: Layout, rules: str) -> None:
        import json

        self.drive = layout.drive
        with open(rules, encoding="utf-8") as file:
            self.table = {item[0]: tuple(item[1:]) for item in json.load(file)}

    def find(self, path: object) -> tuple[str, str, tuple[bool, ...]] | None:
        """(full path, where its rights come from, rights); None for a path outside the drive."""
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        full = os.path.abspath(os.fsdecode(path))
        if full != self.drive and not full.startswith(self.drive + "/"):
            return None
        source = full
        while source not in self.table:
            source = os.path.dirname(source)
        return full, source, self.table[source]

    @staticmethod
    def owns(full: str) -> bool:
        return not os.stat(full).st_mode & 0o077

    def can_read(self, path: object) -> bool:
        found = self.find(path)
        return found is None or found[2][0] or (os.path.exists(found[0]) and self.owns(found[0]))

    def can_write(self, path: object, folder: bool = False) -> bool:
        """Write to what is there, or make it."""
        found = self.find(path)
        if found is None:
            return True
        full, source, rights = found
        if os.path.exists(full) and not (folder and os.path.isdir(full)):
            return rights[1] or self.owns(full)
        parent = os.path.dirname(full)
        if os.path.isdir(parent) and parent != source and self.owns(parent):
            return True
        return rights[(4 if folder else 2) + (parent != source)]


def restrict(rights: Rights) -> None:
    """Refuses what the identity has no right to."""

    def need(allowed: bool, path: object) -> None:
        if not allowed:
            raise PermissionError(13, "Permission denied", os.fsdecode(path))  # type: ignore[arg-type]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                need(rights.can_write(path), path)
            else:
                need(rights.can_read(path), path)
        elif event == "os.mkdir":
            need(rights.can_write(arguments[0], True), arguments[0])
        elif event in ("os.remove", "os.rmdir", "os.truncate", "os.utime"):
            need(rights.can_write(arguments[0]), arguments[0])
        elif event in ("os.listdir", "os.scandir"):
            folder = "." if arguments[0] is None else arguments[0]
            need(rights.can_read(folder), folder)
        elif event in ("os.rename", "os.link", "os.symlink"):
            if event == "os.rename":
                need(rights.can_write(arguments[0]), arguments[0])
            need(rights.can_write(arguments[1]), arguments[1])

    sys.addaudithook(hook)


def limit_paths(layout: Layout, limit: int) -> None:
    """Without LongPathsEnabled a path over 259 characters is not found."""
    length = limit + len(layout.drive) - len("C:")
    events = ("open", "os.mkdir", "os.remove", "os.rename", "os.listdir", "os.scandir", "os.rmdir")

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in events and arguments and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.fsdecode(arguments[0])
            full = path if path.startswith("/") else os.getcwd() + "/" + path
            # folders need room for a short file name
            if len(full) > length - (12 if event == "os.mkdir" else 0) and os.path.normpath(full).startswith(
                layout.drive
            ):
                raise FileNotFoundError(2, "No such file or directory", path)

    sys.addaudithook(hook)


# -- modules that are changed when they are imported


def patch_sysconfig(module, layout: Layout) -> None:  # type: ignore[no-untyped-def]
    schemes = module._INSTALL_SCHEMES
    stdlib = os.path.dirname(os.__file__)
    host = os.path.dirname(os.path.dirname(stdlib))
    include = os.path.join(host, "include", "python" + VERSION + getattr(sys, "abiflags", ""))
    windows = {
        "stdlib": stdlib,
        "platstdlib": stdlib,
        "purelib": "{base}/Lib/site-packages",
        "platlib": "{base}/Lib/site-packages",
        "include": include,
        "platinclude": include,
        "scripts": "{base}/Scripts",
        "data": "{base}",
    }
    for name in ("posix_prefix", "posix_venv", "venv"):
        schemes[name] = dict(windows)
    schemes["posix_user"] = {
        "stdlib": stdlib,
        "platstdlib": stdlib,
        "purelib": "{userbase}/" + TAG + "/site-packages",
        "platlib": "{userbase}/" + TAG + "/site-packages",
        "include": "{userbase}/" + TAG + "/Include",
        "scripts": "{userbase}/" + TAG + "/Scripts",
        "data": "{userbase}",
    }


def patch_venv(module, layout: Layout) -> None:  # type: ignore[no-untyped-def]
    builder = module.EnvBuilder
    ensure = builder.ensure_directories

    def ensure_directories(self, env_dir):  # type: ignore[no-untyped-def]
        context = ensure(self, env_dir)
        lib64 = os.path.join(context.env_dir, "lib64")
        if os.path.islink(lib64):
            os.unlink(lib64)
        os.makedirs(os.path.join(context.env_dir, "Include"), exist_ok=True)
        return context

    def create_configuration(self, context):  # type: ignore[no-untyped-def]
        context.cfg_path = path = os.path.join(context.env_dir, "pyvenv.cfg")
        base = to_windows(layout.base_image, layout.drive)
        options = [
            "--system-site-packages" if self.system_site_packages else "",
            "--clear" if self.clear else "",
            "--upgrade" if self.upgrade else "",
            "" if self.with_pip else "--without-pip",
        ]
        lines = [
            "home = " + to_windows(layout.base_prefix, layout.drive),
            "include-system-site-packages = " + ("true" if self.system_site_packages else "false"),
            "version = " + ".".join(str(part) for part in sys.version_info[:3]),
            *([f"prompt = {self.prompt!r}"] if self.prompt is not None else []),
            "executable = " + base,
            "command = "
            + " ".join([base, "-m", "venv", *filter(None, options), to_windows(context.env_dir, layout.drive)]),
        ]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def setup_python(self, context):  # type: ignore[no-untyped-def]
        with open(layout.base_image, "rb") as file:
            stub = file.read()
        for name in ("python.exe", "pythonw.exe"):
            write_executable(os.path.join(context.bin_path, name), stub)

    def setup_scripts(self, context):  # type: ignore[no-untyped-def]
        folder = to_windows(context.env_dir, layout.drive)
        for name, text in ACTIVATE.items():
            with open(os.path.join(context.bin_path, name), "w", encoding="utf-8") as file:
                file.write(text.replace("@VENV@", folder).replace("@PROMPT@", context.prompt))

    builder.ensure_directories = ensure_directories
    builder.create_configuration = create_configuration
    builder.setup_python = setup_python
    builder.setup_scripts = setup_scripts


ACTIVATE = {
    "activate.bat": (
        '@echo off\nset "VIRTUAL_ENV=@VENV@"\nif not defined PROMPT set PROMPT=$P$G\n'
        "if defined _OLD_VIRTUAL_PATH set PATH=%_OLD_VIRTUAL_PATH%\n"
        "if not defined _OLD_VIRTUAL_PATH set _OLD_VIRTUAL_PATH=%PATH%\n"
        "set PROMPT=@PROMPT@%PROMPT%\nset PYTHONHOME=\nset PATH=%VIRTUAL_ENV%\\Scripts;%PATH%\n"
    ),
    "deactivate.bat": (
        "@echo off\nif defined _OLD_VIRTUAL_PATH set PATH=%_OLD_VIRTUAL_PATH%\nset _OLD_VIRTUAL_PATH=\nset VIRTUAL_ENV=\n"
    ),
    "Activate.ps1": (
        "$env:VIRTUAL_ENV = '@VENV@'\n$env:PYTHONHOME = ''\n$env:PATH = \"$env:VIRTUAL_ENV\\Scripts;$env:PATH\"\n"
    ),
}


def patch_scripts(module, layout: Layout) -> None:  # type: ignore[no-untyped-def]
    """distlib inside pip: launchers instead of scripts."""

    def _write_script(self, names, shebang, script_bytes, filenames, ext):  # type: ignore[no-untyped-def]
        for name in names:
            stem = name[: -len(".py")] if name.endswith(".py") else name
            path = os.path.join(self.target_dir, stem + ".exe")
            write_executable(path, launcher(layout, script_bytes))
            filenames.append(path)

    module.ScriptMaker._write_script = _write_script


def launcher(layout: Layout, script: bytes) -> bytes:
    """An executable for a console script: it names its interpreter and carries the script as a zip archive, as Windows' launchers do."""
    import io
    import zipfile

    python = to_windows(layout.image, layout.drive)
    below = python[3:].replace("\\", "/")
    head = (
        "#!/bin/sh\n# winlab-launcher: " + python + "\n"
        'case $0 in /*) i=$0 ;; *) i=$PWD/$0 ;; esac\nd=$i\nwhile [ -n "$d" ]; do\n  d=${d%/*}\n'
        '  if [ -d "$d/.python" ]; then exec "$d/C/' + below + '" "$i" "$@"; fi\ndone\n'
        'echo "Fatal error in launcher: Unable to create process" >&2\nexit 1\n'
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("__main__.py", (1980, 1, 1, 0, 0, 0)), script)
    return head.encode() + archive.getvalue()


def write_executable(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o755)


def patch_sqlite(rights: Rights):  # type: ignore[no-untyped-def]
    """SQLite opens its files itself: read-only where the identity may not write, as it does on Windows."""

    def patch(module, layout):  # type: ignore[no-untyped-def]
        original = module.connect

        def connect(database, *args, **options):  # type: ignore[no-untyped-def]
            is_path = isinstance(database, str | bytes | os.PathLike) and os.fsdecode(database) not in (":memory:", "")
            if is_path and not (options.get("uri") and os.fsdecode(database).startswith("file:")):
                exists = os.path.exists(database)
                if not rights.can_read(database) or (not exists and not rights.can_write(database)):
                    raise module.OperationalError("unable to open database file")
                if not rights.can_write(database):
                    import urllib.parse

                    options["uri"] = True
                    database = "file:" + urllib.parse.quote(os.path.abspath(os.fsdecode(database))) + "?mode=ro"
            return original(database, *args, **options)

        module.connect = connect

    return patch


class Patches:
    """Finder that lets the others find, and changes a module once it has run."""

    def __init__(self, layout: Layout, rights: Rights | None) -> None:
        self.layout = layout
        self.patches = {
            "sysconfig": patch_sysconfig,
            "venv": patch_venv,
            "pip._vendor.distlib.scripts": patch_scripts,
            "shutil": patch_shutil,
        }
        if rights is not None:
            self.patches["sqlite3.dbapi2"] = patch_sqlite(rights)

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        patch = self.patches.get(name)
        if patch is None:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None and spec.loader is not None:
                self._wrap(spec.loader, name, patch)
                return spec
        return None

    def _wrap(self, loader, name, patch):  # type: ignore[no-untyped-def]
        run = loader.exec_module

        def exec_module(module):  # type: ignore[no-untyped-def]
            run(module)
            if module.__name__ == name:
                patch(module, self.layout)

        loader.exec_module = exec_module


def main() -> None:
    image = os.environ.pop(IMAGE, "")
    rules = os.environ.get(RIGHTS)
    for name in ("LC_CTYPE", "LC_ALL"):
        os.environ.pop(name, None)
    if not image:
        return
    layout = Layout(os.path.abspath(image))
    apply(layout)
    change_streams()
    space = FreeSpace(os.path.join(os.path.dirname(layout.drive), FREE_SPACE))
    if os.path.exists(space.path):
        limit_space(space, layout.drive)
    change_open()
    if "sysconfig" in sys.modules:
        patch_sysconfig(sys.modules["sysconfig"], layout)
    limit = os.environ.get(MAX_PATH, "")
    if limit:
        os.environ._data.pop(MAX_PATH.encode(), None)  # type: ignore[attr-defined]
        limit_paths(layout, int(limit))
    rights = Rights(layout, rules) if rules else None
    sys.meta_path.insert(0, Patches(layout, rights))
    if rights is not None:
        # the program does not see it, its children inherit it all the same
        os.environ._data.pop(RIGHTS.encode(), None)  # type: ignore[attr-defined]
        restrict(rights)


if __name__ != "winlab.windows.python_shim":
    main()
