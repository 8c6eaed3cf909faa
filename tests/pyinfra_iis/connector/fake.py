"""A WinRM service and the far side of the loop in a few lines, to test what the near side does when things go wrong.

``FakeServer.trouble`` holds, per action, what happens to the next requests: ``drop-before`` (the connection breaks before the server
has read it), ``drop-after`` (it breaks when the server has acted), an HTTP status, or a fault's code."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import struct
import uuid
import xml.etree.ElementTree as ET
from collections import defaultdict

import requests.exceptions
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError
from winrm.protocol import Protocol

from pyinfra_iis.connector import frames
from pyinfra_iis.connector.settings import Settings, read_settings


def settings(**more: object) -> Settings:
    data = {"winrm_user": "Administrator", "winrm_password": "S3cret-Passw0rd", "winrm_reconnect_timeout": 1, **more}
    return read_settings("win1", data, ask=False)


class FakeLoop:
    """What ``loop.ps1`` does with frames. Scripts are lines: ``out TEXT``, ``err TEXT``, ``exit N``, ``raw TEXT``, ``hang``."""

    def __init__(self, line: str, server: FakeServer) -> None:
        self.server = server
        size = re.search(r"New-Object byte\[\] (\d+)", line)
        self.wanted = int(size[1]) if size else 0
        token = re.search(r"\$Token='(\w+)'", line)
        self.token = token[1].encode() if token else b""
        self.input = bytearray()
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.exit_code: int | None = None
        self.stage = "script"
        self.last = 0
        self.parts = b""
        self.kept: dict[int, bytes] = {}
        self.reply = (0, 0)
        self.put: dict[str, object] = {}
        self.in_mode = self.out_mode = "RAW"

    def feed(self, data: bytes) -> None:
        self.input += self.server.mangle(data)
        while self.step():
            pass

    def step(self) -> bool:
        if self.stage == "script" and len(self.input) >= self.wanted:
            assert b"$Token" in gzip.decompress(base64.b64decode(self.input[: self.wanted]))
            del self.input[: self.wanted]
            self.stage = "probe"
            return True
        if self.stage == "probe" and self.input.endswith(self.token + b"\n"):
            facts = (
                f"version=1\nprobe={base64.b64encode(self.input).decode()}\npid=7\ndirectory=C:\\Users\\a\nwindows=True"
            )
            self.input.clear()
            self.stdout += (
                self.token + b" HELLO " + base64.b64encode(facts.encode()) + b"\n" + bytes(range(256)) + self.token
            )
            self.stage = "mode"
            return True
        if self.stage == "mode" and len(self.input) >= 8:
            mode = self.input[:8].decode()
            self.in_mode, self.out_mode = mode[:3], mode[4:7]
            del self.input[:8]
            self.stage = "frames"
            return True
        if self.stage == "frames":
            return self.one_frame()
        return False

    def one_frame(self) -> bool:
        if self.in_mode == "B64":
            line, newline, rest = bytes(self.input).partition(b"\n")
            if not newline:
                return False
            self.input[:] = rest
            if line.startswith(b"B64 "):
                return True
            raw = base64.b64decode(line)
        else:
            if self.input[:1] == b"R" and len(self.input) >= 8:
                del self.input[:8]
            if len(self.input) < 20:
                return False
            length = struct.unpack_from("<i", self.input, 16)[0]
            if len(self.input) < 20 + length:
                return False
            raw = bytes(self.input[: 20 + length])
            del self.input[: 20 + length]
        assert raw[:4] == frames.MAGIC
        sequence, kind, flags, _ = struct.unpack_from("<4i", raw, 4)
        if sequence <= self.last:
            return True
        assert sequence == self.last + 1
        self.last = sequence
        self.parts += raw[20:]
        if not flags & frames.MORE:
            body, self.parts = self.parts, b""
            self.message(sequence, kind, flags, body)
        return True

    def message(self, sequence: int, kind: int, flags: int, body: bytes) -> None:
        size = struct.unpack_from("<i", body)[0]
        head = frames.Reply(0, 0, 0, body[4 : 4 + size]).head()
        data = body[4 + size :]
        if flags & frames.PACKED:
            data = gzip.decompress(data)
        if kind == frames.AGAIN:
            number, index = int(head["id"]), int(head["index"])
            if number == self.reply[0]:
                for i in range(index, self.reply[1]):
                    if i not in self.kept:
                        self.write(frames.GONE, b"", i)
                        return
                    self.stdout += self.kept[i]
            return
        if kind == frames.PUT_OPEN:
            old = self.server.parts.get(head["part"], b"") if head.get("resume") else b""
            if "keep" in head:
                old = old[: int(head["keep"])]
            self.put = {"part": head["part"], "id": head["transfer"]}
            self.server.parts[head["part"]] = old
            return
        if kind == frames.PUT_DATA:
            self.server.parts[str(self.put["part"])] += data
            return
        self.reply, self.kept = (sequence, 0), {}
        if kind == frames.RUN:
            self.server.ran.append(data.decode())
            self.run(data.decode(), head)
        elif kind == frames.PUT_CHECK:
            content = self.server.parts[str(self.put["part"])]
            self.done(error="", size=str(len(content)), sum=hashlib.sha256(content).hexdigest())
        elif kind == frames.PUT_COMMIT:
            content = self.server.parts[str(self.put["part"])]
            if hashlib.sha256(content).hexdigest() == head["sum"]:
                self.server.files[head["path"]] = content
            del self.server.parts[str(self.put["part"])]
            self.done(error="", sum=hashlib.sha256(content).hexdigest())
        elif kind == frames.GET:
            content = self.server.files[head["path"]]
            start = int(head["offset"])
            wanted = content[start : start + int(head["amount"])]
            for at in range(0, len(wanted), 100_000):
                self.write(frames.DATA, wanted[at : at + 100_000], keep=False)
            end = start + len(wanted) >= len(content)
            self.done(error="", size=str(len(content)), sum=hashlib.sha256(content).hexdigest() if end else "")

    def run(self, script: str, head: dict[str, str]) -> None:
        code = 0
        for line in script.split("\n"):
            verb, _, rest = line.partition(" ")
            if verb == "out":
                self.write(frames.LINES, f"O{rest}\n".encode())
            elif verb == "err":
                self.write(frames.LINES, f"E{rest}\n".encode())
            elif verb == "env":
                self.write(frames.LINES, f"O{head.get('env:' + rest)}\n".encode())
            elif verb == "raw":
                self.stdout += rest.encode() + b"\n"
            elif verb == "exit":
                code = int(rest)
            elif verb == "hang":
                return
            elif verb == "die":
                self.exit_code = 9
                return
        self.done(exit=str(code), memory="1000")

    def done(self, **head: str) -> None:
        self.write(
            frames.DONE, "\n".join(f"{k}={base64.b64encode(v.encode()).decode()}" for k, v in head.items()).encode()
        )

    def write(self, kind: int, body: bytes, index: int | None = None, keep: bool = True) -> None:
        at = self.reply[1] if index is None else index
        encoded = self.token + struct.pack("<5i", kind, 0, self.reply[0], at, len(body)) + body
        if self.out_mode == "B64":
            encoded = self.token + base64.b64encode(encoded) + b"\n"
        if index is None:
            self.reply = (self.reply[0], at + 1)
            if keep:
                self.kept[at] = encoded
        self.stdout += encoded


class FakeServer:
    def __init__(self) -> None:
        self.shells: dict[str, dict[str, FakeLoop]] = {}
        self.trouble: dict[str, list[object]] = defaultdict(list)
        self.actions: list[str] = []
        self.ran: list[str] = []
        self.files: dict[str, bytes] = {}
        self.parts: dict[str, bytes] = {}
        self.starts = 0
        self.envelope = 512_000
        self.receive_size = 300_000
        self.mangle = lambda data: data
        self.refuses_loop = ""

    def handle(self, text: str) -> str:
        root = ET.fromstring(text)
        action = next(node.text for node in root.iter() if node.tag.endswith("}Action")).rpartition("/")[2]  # type: ignore[union-attr]
        self.actions.append(action)
        trouble = self.trouble[action].pop(0) if self.trouble[action] else None
        if trouble == "drop-before":
            raise requests.exceptions.ConnectionError("Connection aborted.")
        if trouble == "unreachable":
            raise requests.exceptions.ConnectionError("NewConnectionError: Connection refused")
        if trouble == "slow":
            raise requests.exceptions.ReadTimeout("read timed out")
        if trouble == 401:
            raise InvalidCredentialsError("the specified credentials were rejected by the server")
        if trouble == "html":
            raise WinRMTransportError("http", 502, "<html><body>Bad gateway</body></html>")
        if isinstance(trouble, int) and trouble < 600 and trouble != 170:
            raise WinRMTransportError("http", trouble, "")
        if isinstance(trouble, int):
            raise fault(trouble)
        if len(text) > self.envelope:
            raise WinRMTransportError("http", 413, "")
        answer = getattr(self, action.lower())(root)
        if trouble == "drop-after":
            raise requests.exceptions.ConnectionError("Connection aborted.")
        if trouble == "lose-shell":
            self.shells.clear()
        return f'<s:Envelope xmlns:s="e" xmlns:r="r"><s:Body>{answer}</s:Body></s:Envelope>'

    def create(self, root: ET.Element) -> str:
        shell = str(uuid.uuid4()).upper()
        self.shells[shell] = {}
        return f'<r:Selector Name="ShellId">{shell}</r:Selector>'

    def command(self, root: ET.Element) -> str:
        line = next(node.text or "" for node in root.iter() if node.tag.endswith("}Command"))
        self.starts += 1
        command = str(uuid.uuid4()).upper()
        loop = self.shell(root)[command] = FakeLoop(line, self)
        if self.refuses_loop:
            loop.stage = "dead"
            loop.stderr += self.refuses_loop.encode()
            loop.exit_code = 1
        return f"<r:CommandId>{command}</r:CommandId>"

    def send(self, root: ET.Element) -> str:
        stream = next(node for node in root.iter() if node.tag.endswith("}Stream"))
        self.loop(root, stream.get("CommandId")).feed(base64.b64decode(stream.text or ""))
        return "<r:SendResponse/>"

    def receive(self, root: ET.Element) -> str:
        wanted = next(node for node in root.iter() if node.tag.endswith("}DesiredStream"))
        loop = self.loop(root, wanted.get("CommandId"))
        if not loop.stdout and not loop.stderr and loop.exit_code is None:
            raise WinRMOperationTimeoutError
        pieces = ""
        for name in ("stderr", "stdout"):
            buffer = getattr(loop, name)
            if buffer:
                pieces += f'<r:Stream Name="{name}">{base64.b64encode(buffer[: self.receive_size]).decode()}</r:Stream>'
                del buffer[: self.receive_size]
        state = "Running" if loop.exit_code is None or loop.stdout else "Done"
        code = f"<r:ExitCode>{loop.exit_code}</r:ExitCode>" if state == "Done" else ""
        return f'{pieces}<r:CommandState State="x/CommandState/{state}">{code}</r:CommandState>'

    def signal(self, root: ET.Element) -> str:
        return "<r:SignalResponse/>"

    def delete(self, root: ET.Element) -> str:
        self.shell(root)
        del self.shells[self.shell_id(root)]
        return ""

    @staticmethod
    def shell_id(root: ET.Element) -> str:
        return next(node.text or "" for node in root.iter() if node.get("Name") == "ShellId")

    def shell(self, root: ET.Element) -> dict[str, FakeLoop]:
        if self.shell_id(root) not in self.shells:
            raise fault(2150858843)
        return self.shells[self.shell_id(root)]

    def loop(self, root: ET.Element, command: str | None) -> FakeLoop:
        loops = self.shell(root)
        if command not in loops:
            raise fault(2150858843)
        return loops[command]


class FakeProtocol(Protocol):
    def __init__(self, server: FakeServer) -> None:
        super().__init__("http://win1:5985/wsman", transport="ntlm", username="a", password="b")
        self.server = server

    def send_message(self, message: str) -> bytes:
        return self.server.handle(message).encode()


def fault(code: int) -> WSManFaultError:
    return WSManFaultError(500, "Bad HTTP response", "", f"fault number {code}.", "s:Sender", "w:X", code)
