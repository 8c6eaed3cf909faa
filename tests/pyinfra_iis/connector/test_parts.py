"""Small parts: command lines, pyinfra's own POSIX commands, long paths, secrets."""

from __future__ import annotations

import copy
import pickle

import pytest
from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.facts import files as file_facts
from pyinfra.facts import server as server_facts
from pyinfra.operations import server as server_operations

from pyinfra_iis.connector import posix
from pyinfra_iis.connector.files import beside, long_path
from pyinfra_iis.connector.programs import Program, program_for, quote
from pyinfra_iis.connector.secret import Secret, scrub
from pyinfra_iis.connector.settings import read_settings
from pyinfra_iis.connector.wire import Wire


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a", "a"),
        ("", '""'),
        ("a b", '"a b"'),
        ('a"b', '"a\\"b"'),
        ("a\\", "a\\"),
        ("a b\\", '"a b\\\\"'),
        ('\\"', '"\\\\\\""'),
    ],
)
def test_quote(text: str, quoted: str) -> None:
    assert quote(text) == quoted


def test_programs() -> None:
    assert program_for(None, "x") is None and program_for("sh", "x") is None and program_for("ps", "x") is None
    assert program_for("cmd", 'dir "C:\\a b"') == Program("cmd.exe", '/d /s /c "dir "C:\\a b""')
    assert program_for("C:\\Git\\bin\\bash.exe", "ls $HOME") == Program("C:\\Git\\bin\\bash.exe", '-c "ls $HOME"')


PATH = "C:\\a b\\it's [1].txt"


@pytest.mark.parametrize(
    "command",
    [
        file_facts.File().command(PATH), file_facts.Directory().command(PATH), file_facts.Link().command(PATH),
        file_facts.Sha1File().command(PATH), file_facts.Md5File().command(PATH), file_facts.Sha256File().command(PATH),
        file_facts.FileContents().command(PATH), file_facts.FindFiles().command(PATH), file_facts.FindLinks().command(PATH),
        server_facts.Which().command("curl"), StringCommand(server_facts.TmpDir().command()), StringCommand("uname -s"),
        StringCommand("mkdir", "-p", QuoteString(PATH)), StringCommand("rm", "-f", QuoteString(PATH)),
        StringCommand("mv", QuoteString(PATH), QuoteString("D:\\x")), StringCommand("touch", QuoteString(PATH)),
    ],
)  # fmt: skip
def test_pyinfras_own_commands_are_answered(command: StringCommand) -> None:
    assert posix.answer(command) is not None


@pytest.mark.parametrize("text", ["mkdir -p x", "rm -f x", "Get-Item x", "stat x", "mv a b", f"touch '{PATH}'"])
def test_what_a_user_writes_is_left_alone(text: str) -> None:
    assert posix.answer(StringCommand(text)) is None


def test_pyinfras_reboot_is_known() -> None:
    commands = [c for c in server_operations.reboot._inner() if isinstance(c, StringCommand)]
    found = posix.answer(commands[0])
    assert found is not None and "shutdown" in found.script and not found.safe


def test_literals() -> None:
    assert posix.literal("it's \u2019so") == "'it''s \u2019\u2019so'"


def test_long_paths() -> None:
    name = "n" * 250
    assert long_path("C:\\short") == "C:\\short"
    assert long_path(f"C:/a/../{name}") == f"\\\\?\\C:\\{name}"
    assert long_path(f"\\\\srv\\share\\{name}") == f"\\\\?\\UNC\\srv\\share\\{name}"
    assert beside("C:\\x\\y.txt", "t") == "C:\\x\\.t.part"


def test_secrets() -> None:
    secret = Secret("hunter22")
    for shown in (
        str(secret),
        repr(secret),
        f"{secret}",
        str(copy.copy(secret)),
        str(copy.deepcopy(secret)),
        str(pickle.loads(pickle.dumps(secret))),
    ):
        assert "hunter22" not in shown
    assert secret.unmask() == "hunter22" and copy.copy(secret).unmask() == "hunter22"
    assert scrub("a hunter22 b", ["hunter22", ""]) == "a *MASKED* b"


@pytest.mark.parametrize(
    ("transport", "https", "frame", "every"),
    [("ntlm", False, 300, 1 << 20), ("credssp", False, 350, 16384), ("basic", True, 0, 1)],
)
@pytest.mark.parametrize("size", [153600, 512000])
def test_a_full_message_fits_with_its_seal(transport: str, https: bool, frame: int, every: int, size: int) -> None:
    """What sealing adds (a MIME frame and a signature; CredSSP: one for each 16 KiB) counts towards MaxEnvelopeSizekb."""
    data = {"winrm_user": "u", "winrm_password": "p", "winrm_transport": transport, "winrm_https": https}
    wire = Wire(read_settings("host", data))
    wire.envelope_size = size
    full = (
        (wire.room("S" * 36, "C" * 36) + 2) // 3 * 4
        + len(wire._send_envelope("S" * 36, "C" * 36, False))
        - len("@@DATA@@")
    )
    assert size * 97 // 100 < full + frame * (full // every + 1) <= size
