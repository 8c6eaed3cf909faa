from __future__ import annotations

import io
import os
import socket
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from winlab.windows import python
from winlab.windows.acl import Acl
from winlab.windows.errors import WindowsError
from winlab.windows.machine import Machine
from winlab.windows.pipes import Pipe
from winlab.windows.processes import listening_ports

HOME = "C:\\Python311"


def unpack(machine: Machine, home: str = HOME, pip: bool = False) -> None:
    """What Expand-Archive does with the distribution (without pip's hundreds of files unless wanted)."""
    with zipfile.ZipFile(io.BytesIO(python.build_distribution())) as archive:
        for name in archive.namelist():
            if pip or not name.startswith("Lib/site-packages/pip"):
                path = f"{home}\\{name}".replace("/", "\\")
                machine.fs.mkdir(path.rpartition("\\")[0], parents=True)
                machine.fs.write_bytes(path, archive.read(name))


@pytest.fixture
def server(machine: Machine) -> Machine:
    unpack(machine)
    machine.fs.mkdir("C:\\app")
    return machine


def run(
    machine: Machine, command: str, user=None, cwd: str = "C:\\app", stdin: bytes | None = None, **env: str
) -> tuple[int | None, str, str]:
    out, err = Pipe(None), Pipe(None)
    user = user or machine.accounts.token("Administrator")
    block = machine.environment_for(user)
    block.update(env)
    source = None
    if stdin is not None:
        source = Pipe(None)
        source.write(stdin)
        source.close_write()
    process = machine.processes.start(command, user=user, cwd=cwd, env=block, stdin=source, stdout=out, stderr=err)
    code = process.wait(60)
    return code, out.read_all(10).decode("cp1252"), err.read_all(10).decode("cp1252")


def script(machine: Machine, text: str, name: str = "C:\\app\\s.py") -> None:
    machine.fs.write_text(name, text)


def test_the_distribution_is_the_same_each_time() -> None:
    assert python.build_distribution() == python.build_distribution()


def test_streams_arguments_and_exit_code(server: Machine) -> None:
    script(server, "import sys\nprint(sys.argv[1:], sys.stdin.read())\nprint('e', file=sys.stderr)\nsys.exit(7)\n")
    code, out, err = run(server, f'{HOME}\\python.exe s.py "a b" -x', stdin=b"in\r\nput")
    assert (code, out, err) == (7, "['a b', '-x'] in\r\nput\r\n", "e\r\n")


def test_what_crosses_is_translated(server: Machine) -> None:
    script(
        server,
        (
            "import os, sys\nfor p in sys.argv[1:]: print(os.path.basename(p), os.path.exists(p.split('=')[-1]))\n"
            "print(len(os.environ['PYTHONPATH'].split(':')), os.environ['DB'].count('/'))"
        ),
    )
    server.fs.mkdir("C:\\app\\Sub Dir")
    code, out, err = run(
        server,
        f'{HOME}\\python.exe s.py C:\\APP\\S.PY "--root=C:\\app\\sub dir" "sub dir\\new" c:/app plain',
        PYTHONPATH="C:\\app;C:\\Windows",
        DB="sqlite:///C:/app/db",
    )
    assert code == 0, err
    lines = out.split("\r\n")
    assert lines[:5] == ["s.py True", "Sub Dir True", "new False", "app True", "plain False"]
    assert lines[5].startswith("2 ")


def test_translation_rules(server: Machine) -> None:
    host = str(server.fs.host_path("C:\\app"))
    cases = {
        "C:\\app": host,
        "C:/app/x.txt": host + "/x.txt",
        "C:\\app;C:\\app": f"{host}:{host}",
        "--dir=C:\\app": "--dir=" + host,
        "NAME=C:\\app": "NAME=" + host,
        "file:///C:/app/w": f"file://{host}/w",
        "print('C:\\app')": "print('C:\\app')",
        "http://host/C:/x": "http://host/C:/x",
        "D:\\app": "D:\\app",
        "a;b": "a;b",
    }
    for text, expected in cases.items():
        assert python.translate(server, text) == expected
    assert python.translate_arguments(server, ["-c", "C:\\app", "C:\\app"], "C:\\") == ["-c", "C:\\app", host]
    assert python.translate(server, "app\\x.py", "C:\\") == "app/x.py"
    assert python.translate(server, "nope\\x.py", "C:\\") == "nope\\x.py"


def test_the_program_sees_windows_layout(server: Machine) -> None:
    script(
        server,
        (
            "import sys, os, site, sysconfig\nr = sys.prefix\nprint([os.path.relpath(p, r) for p in (sys.executable, "
            "sysconfig.get_path('purelib'), sysconfig.get_path('scripts'))], [k for k in os.environ if "
            "k.startswith('WINLAB') or k == 'LC_CTYPE'], '_winlab_shim' in sys.modules, any('.python' in p for p in "
            "sys.path))"
        ),
    )
    for flags in ("", "-I "):
        _, out, err = run(server, f"{HOME}\\python.exe {flags}s.py")
        assert out == "['python.exe', 'Lib/site-packages', 'Scripts'] [] False False\r\n", err


def test_text_is_ansi_with_crlf_unless_utf8_mode(server: Machine) -> None:
    script(server, "open('t', 'w').write('\\xfc\\n')\nprint('\\xfc')")
    assert run(server, f"{HOME}\\python.exe s.py")[1] == "ü\r\n"
    assert server.fs.read_bytes("C:\\app\\t") == b"\xfc\r\n"
    run(server, f"{HOME}\\python.exe s.py", PYTHONUTF8="1")
    assert server.fs.read_bytes("C:\\app\\t") == b"\xc3\xbc\r\n"
    code, _, err = run(server, f'{HOME}\\python.exe -c "print(chr(0x4e2d))"')
    assert code == 1 and "UnicodeEncodeError" in err


def test_venv_without_pip(server: Machine) -> None:
    assert run(server, f"{HOME}\\python.exe -m venv --without-pip C:\\app\\venv") == (0, "", "")
    assert {entry.name for entry in server.fs.listdir("C:\\app\\venv")} == {"Include", "Lib", "Scripts", "pyvenv.cfg"}
    config = server.fs.read_text("C:\\app\\venv\\pyvenv.cfg")
    assert (
        f"home = {HOME}\r\n" in config
        and "command = C:\\Python311\\python.exe -m venv --without-pip C:\\app\\venv" in config
    )
    server.fs.mkdir("C:\\app\\venv\\Lib\\site-packages\\pkg")
    server.fs.write_text("C:\\app\\venv\\Lib\\site-packages\\pkg\\__init__.py", "print('imported')")
    program = "import sys, subprocess, pkg; print(sys.prefix != sys.base_prefix, flush=True); subprocess.run([sys.executable, '-c', 'import pkg'], env={})"
    code, out, err = run(server, f'venv\\Scripts\\python.exe -c "{program}"')
    assert (code, out) == (0, "imported\r\nTrue\r\nimported\r\n"), err
    assert run(server, f'{HOME}\\python.exe -c "import pkg"')[0] == 1
    server.fs.move("C:\\app\\venv", "C:\\app\\elsewhere")
    assert run(server, 'elsewhere\\Scripts\\python.exe -c "import pkg"')[:2] == (0, "imported\r\n")


def test_venv_needs_its_base(server: Machine, pool) -> None:
    run(server, f"{HOME}\\python.exe -m venv --without-pip C:\\app\\venv")
    server.fs.set_acl(HOME, Acl.from_sddl("D:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)"))
    code, _, err = run(server, "venv\\Scripts\\python.exe -V", pool)
    assert (code, err) == (103, f"No Python at '\"{HOME}\\python.exe'\r\n")
    server.fs.reset_acl(HOME)
    server.fs.set_acl(f"{HOME}\\python.exe", Acl.from_sddl("D:PAI(A;;FA;;;BA)(A;;FA;;;SY)"))
    code, _, err = run(server, "venv\\Scripts\\python.exe -V", pool)
    assert code == 101 and "Unable to create process" in err
    server.fs.move(HOME, "C:\\Gone")
    code, _, err = run(server, "venv\\Scripts\\python.exe -V")
    assert (code, err) == (103, f"No Python at '\"{HOME}\\python.exe'\r\n")
    server.fs.remove("C:\\Gone\\" + python.TAG + ".dll")
    assert run(server, "C:\\Gone\\python.exe -V")[0] == -1073741515


def test_pip_installs_into_the_venv(machine: Machine, tmp_path: Path) -> None:
    unpack(machine, pip=True)
    machine.fs.mkdir("C:\\app\\wheels", parents=True)
    wheel = machine.fs.host_path("C:\\app\\wheels") / "labpkg-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("labpkg.py", "def main():\n    import sys\n    print('labpkg', sys.argv[1:])\n")
        archive.writestr("labpkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: labpkg\nVersion: 1.0\n")
        archive.writestr(
            "labpkg-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("labpkg-1.0.dist-info/entry_points.txt", "[console_scripts]\nlabpkg = labpkg:main\n")
        archive.writestr("labpkg-1.0.dist-info/RECORD", "")
    assert run(machine, f"{HOME}\\python.exe -m pip --version")[0] == 0
    assert run(machine, f"{HOME}\\python.exe -m venv venv")[0] == 0
    code, out, err = run(
        machine, "venv\\Scripts\\python.exe -m pip install --no-index --find-links C:\\app\\wheels labpkg"
    )
    assert code == 0, out + err
    assert machine.fs.is_file("C:\\app\\venv\\Lib\\site-packages\\labpkg.py")
    assert run(machine, "venv\\Scripts\\labpkg.exe a b")[:2] == (0, "labpkg ['a', 'b']\r\n")
    assert "labpkg" in run(machine, "venv\\Scripts\\pip.exe list")[1]
    machine.fs.move("C:\\app\\venv", "C:\\app\\moved")
    assert run(machine, "moved\\Scripts\\labpkg.exe")[0] == 1
    assert run(machine, 'moved\\Scripts\\python.exe -c "import labpkg; labpkg.main()"')[0] == 0
    assert not (Path(sys.prefix) / "lib" / "labpkg.py").exists()


def test_identity_is_held_to_the_lists_of_access(server: Machine, pool) -> None:
    fs = server.fs
    fs.mkdir("C:\\inetpub\\site", parents=True)
    fs.write_text("C:\\inetpub\\site\\page", "x")
    fs.write_text("C:\\inetpub\\site\\db", "")
    fs.mkdir("C:\\inetpub\\site\\logs")
    fs.set_acl("C:\\inetpub\\site\\logs", Acl.from_sddl(f"D:AI(A;OICI;0x1301bf;;;{pool.sid})"))
    fs.mkdir("C:\\inetpub\\secret")
    fs.set_acl("C:\\inetpub\\secret", Acl.from_sddl("D:PAI(A;OICI;FA;;;BA)"))
    fs.write_text("C:\\inetpub\\secret\\key", "x")
    cases = {
        "open('page').read()": True,
        "open('page', 'a')": False,
        "open('new', 'w')": False,
        "open('logs/a', 'w'); open('logs/a', 'a')": True,
        "__import__('os').listdir('../secret')": False,
        "open('../secret/key')": False,
        "__import__('os').makedirs('x')": False,
        "__import__('os').remove('page')": False,
        "__import__('sqlite3').connect('db').execute('create table t (a)')": False,
        "__import__('subprocess').run([__import__('sys').executable, '-c', 'open(1*chr(112)+chr(97)+chr(103)+chr(101), chr(97))'], check=True)": False,
    }
    for code, allowed in cases.items():
        result = run(server, f'{HOME}\\python.exe -c "{code}"', pool, "C:\\inetpub\\site")
        assert (result[0] == 0) == allowed, (code, result)
    assert run(server, f"{HOME}\\python.exe -c \"open('page', 'a')\"", None, "C:\\inetpub\\site")[0] == 0


def wait_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_listening_in_use_and_break(server: Machine) -> None:
    script(
        server,
        "import socket, time\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\nf = open('held', 'w')\nprint('up', flush=True)\ntime.sleep(60)\n",
    )
    out = Pipe()
    process = server.processes.start(f"{HOME}\\python.exe s.py", cwd="C:\\app", stdout=out)
    assert out.readline(10) == b"up\r\n"
    ((address, port),) = listening_ports(process)
    socket.create_connection((address, port), 1).close()
    with pytest.raises(WindowsError) as caught:
        server.fs.remove("C:\\app\\held")
    assert caught.value.code == 32
    server.fs.move(HOME, "C:\\Other")
    with pytest.raises(WindowsError) as caught:
        server.fs.remove("C:\\Other\\python.exe")
    assert caught.value.code == 5
    server.fs.move("C:\\Other", HOME)
    process.send_ctrl_break()
    assert process.wait(5) == -1073741510
    server.fs.remove("C:\\app\\held")


def test_kill_ends_grandchildren(server: Machine) -> None:
    script(
        server,
        "import subprocess, sys, time\np = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nprint(p.pid, flush=True)\ntime.sleep(60)\n",
    )
    out = Pipe()
    process = server.processes.start(f"{HOME}\\python.exe s.py", cwd="C:\\app", stdout=out)
    grandchild = int(out.readline(10))
    process.kill(tree=True)
    wait_for(lambda: not is_running(grandchild))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_unread_input_goes_back_to_the_pipe(server: Machine) -> None:
    stdin = Pipe()
    stdin.add_reader()
    stdin.write(b"first\nsecond\n")
    process = server.processes.start(f'{HOME}\\python.exe -c "print(1)"', stdin=stdin)
    assert process.wait(10) == 0
    assert stdin.read(100, 1) == b"first\nsecond\n"


def test_output_to_a_file(server: Machine) -> None:
    with server.fs.open("C:\\app\\log", "Create", "Write") as handle:
        script(server, "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr)\n")
        assert (
            server.processes.start(f"{HOME}\\python.exe s.py", cwd="C:\\app", stdout=handle, stderr=handle).wait(10)
            == 0
        )
    assert server.fs.read_bytes("C:\\app\\log") == b"out\r\nerr\r\n"


def test_installer(machine: Machine, pool) -> None:
    machine.fs.mkdir("C:\\app")
    machine.fs.write_bytes("C:\\app\\setup.exe", python.build_installer())
    options = "InstallAllUsers=1 TargetDir=C:\\Py PrependPath=1 Include_pip=0 Include_test=0"
    assert run(machine, f"setup.exe {options}")[0] == 1602
    assert run(machine, f"setup.exe /quiet {options} Bogus=1")[0] == 1639
    assert run(machine, f"setup.exe /quiet {options}", pool)[0] == 1603
    assert run(machine, f"setup.exe /quiet {options}")[0] == 0
    key = machine.registry.open(
        f"HKLM\\SOFTWARE\\Python\\PythonCore\\{sys.version_info[0]}.{sys.version_info[1]}\\InstallPath"
    )
    assert key.get() == "C:\\Py\\" and machine.env["Path"].startswith("C:\\Py\\Scripts\\;C:\\Py\\;")
    assert run(machine, "cmd /c python -c print(1)")[1] == "1\r\n"
    assert run(machine, "setup.exe /uninstall /quiet")[0] == 0
    assert not machine.fs.exists("C:\\Py") and run(machine, "setup.exe /uninstall /quiet")[0] == 1605


@pytest.mark.parametrize("options", ["/quiet", "/quiet /norestart"])
def test_installer_of_what_is_in_use(machine: Machine, options: str) -> None:
    restarted = threading.Event()
    machine.schedule_shutdown = lambda *_, **__: restarted.set()  # type: ignore[method-assign]
    machine.fs.mkdir("C:\\app")
    machine.fs.write_bytes("C:\\app\\setup.exe", python.build_installer())
    install = f"setup.exe {options} InstallAllUsers=1 TargetDir=C:\\Py Include_pip=0"
    assert run(machine, install)[0] == 0 and not restarted.is_set()
    process = machine.processes.start('C:\\Py\\python.exe -c "import time; time.sleep(60)"', cwd="C:\\")
    assert run(machine, install)[0] == 3010
    assert restarted.is_set() is ("/norestart" not in options)
    restarted.clear()
    assert run(machine, f"setup.exe /uninstall {options}")[0] == 0
    process.kill()
    assert not machine.fs.exists("C:\\Py")


def test_nuget_package() -> None:
    with zipfile.ZipFile(io.BytesIO(python.build_nuget())) as archive:
        assert {"tools/python.exe", "python.nuspec", "[Content_Types].xml"} <= set(archive.namelist())


def test_long_paths_need_the_setting(server: Machine) -> None:
    script(server, "import os\nd = 'x' * 90\nos.makedirs(f'{d}/{d}')\nopen(f'{d}/{d}/' + 'y' * 100, 'w').close()")
    code, _, err = run(server, f"{HOME}\\python.exe s.py")
    assert code == 1 and "FileNotFoundError" in err and "mkdir" not in err
    server.fs.rmtree("C:\\app\\" + "x" * 90)
    server.registry.open("HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem").set("LongPathsEnabled", 1)
    assert run(server, f"{HOME}\\python.exe s.py")[0] == 0


FILL = """\
import errno, os, shutil, subprocess, sys
def fill(name, size):
    try:
        with open(name, "wb") as file:
            file.write(b"x" * size)
        return os.path.getsize(name)
    except OSError as error:
        return errno.errorcode[error.errno]
child = "import sys; open('child', 'w').write('x' * 3000)"
print(fill("a", 6000), fill("b", 6000), os.path.getsize("b"))
os.remove("a")
print(subprocess.run([sys.executable, "-c", child], stderr=subprocess.DEVNULL).returncode)
print(subprocess.run([sys.executable, "-c", child.replace("child", "other")], stderr=subprocess.DEVNULL).returncode)
for act in (lambda: shutil.copyfile("b", "c"), lambda: os.write(os.open("d", os.O_WRONLY | os.O_CREAT), b"x")):
    try:
        act()
    except OSError as error:
        print(errno.errorcode[error.errno])
print(fill(os.devnull, 10000), fill("child", 3000))
"""


def test_the_disk_is_full_for_python_too(server: Machine) -> None:
    script(server, FILL)
    server.fs.free_limit = 10_000
    code, out, err = run(server, f"{HOME}\\python.exe -B s.py")
    assert (code, err) == (0, "")
    # b takes what a has left; the child what is free without a; then another child, a copy and a descriptor find less than they want
    assert out.split("\r\n")[:-1] == ["6000 ENOSPC 4000", "0", "0", "ENOSPC", "ENOSPC", "0 3000"]
    with pytest.raises(WindowsError) as caught:
        server.fs.write_bytes("C:\\app\\e", b"x")
    assert caught.value.code == 112
    server.fs.free_limit = None
    server.fs.write_bytes("C:\\app\\e", b"x")
    assert run(server, f"{HOME}\\python.exe -B s.py")[1].startswith("6000 6000 6000\r\n")


def test_what_serves_comes_before_what_is_done_on_any_server(server: Machine, pool) -> None:
    worker = server.processes.create_service_process("C:\\Windows\\System32\\inetsrv\\w3wp.exe", "w3wp.exe", pool)
    priorities = []
    for parent in (worker, None):
        process = server.processes.start(
            f'{HOME}\\python.exe -c "import time; time.sleep(60)"', cwd="C:\\app", parent=parent
        )
        assert process.native is not None
        priorities.append(os.getpriority(os.PRIO_PROCESS, process.native.pid))
        process.kill()
    assert priorities[0] < priorities[1]
