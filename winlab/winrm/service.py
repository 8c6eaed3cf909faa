"""The WS-Management service of one server: what each action does, within its quotas."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr

from winlab.windows.errors import WindowsError
from winlab.windows.processes import codepage_encoding
from winlab.winrm import faults
from winlab.winrm.auth import Identity
from winlab.winrm.config import UNLIMITED, WinRMConfig
from winlab.winrm.envelope import (
    Request,
    child,
    children,
    elapsed_duration,
    envelope,
    is_true,
    local,
    new_id,
    parse_duration,
    text,
)
from winlab.winrm.shell import TERMINATED_EXIT, Command, Shell
from winlab.winrm.uris import (
    CMD_RESOURCE,
    CONFIG_RESOURCE,
    ENUMERATION,
    NAMESPACES,
    SHELL_RESOURCE,
    SIGNALS,
    STATE_DONE,
    STATE_RUNNING,
    TRANSFER,
)
from winlab.winrm.uris import SHELL as SHELL_URI

MIN_OPERATION_TIMEOUT = 0.5
DEFAULT_ENVELOPE = 153600
RECEIVE_OVERHEAD = 2048
"""Bytes of a Receive's reply that are not streams."""
CMD_LIMIT = 8191
CREATE_PROCESS_LIMIT = 32767
OPTIONS = {
    "Create": ("WINRS_NOPROFILE", "WINRS_CODEPAGE"),
    "Command": ("WINRS_CONSOLEMODE_STDIN", "WINRS_SKIP_CMD_SHELL"),
    "Receive": ("WSMAN_CMDSHELL_OPTION_KEEPALIVE",),
}
IDENTIFY_VENDOR = "Microsoft Corporation"


class Logon(Protocol):
    """What the service needs of a server's accounts and processes."""

    def token(self, identity: Identity) -> Any:
        """The access token that a network logon of this account gets; `elevated` says whether it may administer."""

    def environment(self, token: Any, profile: bool) -> dict[str, str]:
        """The environment block of a fresh logon."""

    def directory(self, token: Any, profile: bool) -> str:
        """The working directory of a fresh logon."""

    def start(
        self,
        command_line: str,
        *,
        image: str | None,
        cwd: str,
        env: dict[str, str],
        token: Any,
        command: Command,
        codepage: int,
    ) -> Any:
        """Starts a process with the command's pipes; WindowsError when Windows would not start it."""


class Service:
    """WS-Management for one server.

    Args:
        config: settings and quotas.
        logon: the server's side of a logon.
        os_version: for Identify, e.g. `10.0.17763`.
    """

    def __init__(self, config: WinRMConfig, logon: Logon, os_version: str) -> None:
        self.config = config
        self.logon = logon
        self.os_version = os_version
        self.shells: dict[str, Shell] = {}
        self.slow_done: Callable[[], float] = lambda: 0.0
        self._in_flight: dict[str, int] = {}
        self._actions: dict[str, Callable[[Request, Identity, str], Awaitable[bytes]]] = {
            "Create": self._create,
            "Command": self._command,
            "Send": self._send,
            "Receive": self._receive,
            "Signal": self._signal,
            "Delete": self._delete,
            "Get": self._get,
            "Enumerate": self._enumerate,
            "Pull": self._pull,
        }

    async def handle(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        """The reply to a request of an authenticated user.

        Raises:
            Fault: everything that cannot be done.
        """
        handler = self._actions.get(request.action)
        if handler is None:
            raise faults.unsupported_action(request.action)
        if not self.logon.token(identity).elevated:
            raise faults.access_denied()
        for name in request.must_comply:
            if name.upper() not in OPTIONS.get(request.action, ()):
                raise faults.unknown_option(name)
        with self._operation(identity.name, request.action):
            return await handler(request, identity, client_ip)

    def identify(self, authenticated: bool) -> bytes:
        """The reply to Identify; who has not logged on does not learn the version."""
        version = f"OS: {self.os_version} SP: 0.0 Stack: 3.0" if authenticated else "OS: 0.0.0 SP: 0.0 Stack: 3.0"
        return (
            f'<s:Envelope xml:lang="en-US" xmlns:s="{NAMESPACES["s"]}"><s:Header/><s:Body>'
            f'<wsmid:IdentifyResponse xmlns:wsmid="{NAMESPACES["wsmid"]}">'
            f"<wsmid:ProtocolVersion>{NAMESPACES['w']}</wsmid:ProtocolVersion>"
            f"<wsmid:ProductVendor>{IDENTIFY_VENDOR}</wsmid:ProductVendor>"
            f"<wsmid:ProductVersion>{version}</wsmid:ProductVersion>"
            "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
        ).encode()

    def close(self) -> None:
        """Ends every shell and its processes: the service stops."""
        for shell in list(self.shells.values()):
            self._remove(shell)

    # -- quotas -----------------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _operation(self, user: str, action: str) -> Iterator[None]:
        """Counts what a user has going on.

        A command counts from its start until its shell goes, not until it ends (MS-WSMV note 118); so at the limit no further
        command starts, while those that run can still be served, ended and their shells deleted.
        """
        limit = self.config.max_concurrent_operations_per_user
        key = user.lower()
        count = self._in_flight.get(key, 0)
        if action == "Command":
            count += sum(shell.operations for shell in self.shells.values() if shell.owner.lower() == key)
        if count >= limit and action not in ("Signal", "Delete"):
            raise faults.operations_quota(limit)
        self._in_flight[key] = self._in_flight.get(key, 0) + 1
        try:
            yield
        finally:
            self._in_flight[key] -= 1

    def _check_shell_quota(self, user: str) -> None:
        owners = {shell.owner.lower() for shell in self.shells.values()}
        if user.lower() not in owners and len(owners) >= self.config.max_concurrent_users:
            raise faults.users_quota(self.config.max_concurrent_users)
        own = sum(shell.owner.lower() == user.lower() for shell in self.shells.values())
        if own >= self.config.max_shells_per_user:
            raise faults.shells_quota(self.config.max_shells_per_user)

    # -- shells -----------------------------------------------------------------------------------------------------------------

    def _shell(self, request: Request, identity: Identity) -> Shell:
        shell = self.shells.get((request.shell_id or "").upper())
        # Another user's shell is as good as none.
        if shell is None or shell.owner.lower() != identity.name.lower():
            raise faults.unknown_shell(request.shell_id)
        shell.touch()
        return shell

    @contextlib.contextmanager
    def _using(self, shell: Shell) -> Iterator[None]:
        shell.in_flight += 1
        try:
            yield
        finally:
            shell.in_flight -= 1
            shell.touch()

    def _remove(self, shell: Shell) -> None:
        self.shells.pop(shell.id.upper(), None)
        shell.close()

    def _operation_timeout(self, request: Request) -> float:
        longest = self.config.max_timeout_ms / 1000
        asked = longest if request.operation_timeout is None else request.operation_timeout
        return min(max(asked, MIN_OPERATION_TIMEOUT), longest)

    # -- actions ----------------------------------------------------------------------------------------------------------------

    async def _create(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        if request.resource_uri != CMD_RESOURCE:
            raise faults.unknown_resource(request.resource_uri)
        body = request.body
        if body is None or local(body) != "Shell":
            raise faults.schema("Shell")
        self._check_shell_quota(identity.name)
        token = self.logon.token(identity)
        profile = not is_true(request.option("WINRS_NOPROFILE"))
        environment = self.logon.environment(token, profile)
        variables: dict[str, str] = {}
        block = child(body, "Environment")
        for node in [] if block is None else children(block, "Variable"):
            variables[node.get("Name", "")] = node.text or ""
        environment = _overlay(environment, variables)
        requested = text(body, "WorkingDirectory")
        shell = Shell(
            id=(body.get("ShellId") or new_id()).upper(),
            owner=identity.name,
            token=token,
            client_ip=client_ip,
            resource_uri=request.resource_uri,
            environment=environment,
            variables=variables,
            working_directory=requested or self.logon.directory(token, profile),
            requested_directory=requested,
            idle_timeout=self._idle_timeout(body),
            lifetime=text(body, "Lifetime"),
            name=text(body, "Name"),
            codepage=self._codepage(request),
            profile=profile,
            input_streams=text(body, "InputStreams") or "stdin",
            output_streams=text(body, "OutputStreams") or "stdout stderr",
        )
        if shell.id in self.shells:
            raise faults.invalid_parameter()
        self.shells[shell.id] = shell
        shell.watch_idle(asyncio.get_running_loop(), self._remove)
        created = (
            f"<x:ResourceCreated><a:Address>{escape(request.to)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{escape(shell.resource_uri)}</w:ResourceURI>"
            f'<w:SelectorSet><w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet>'
            "</a:ReferenceParameters></x:ResourceCreated>"
        )
        return envelope(request, TRANSFER + "CreateResponse", created + _shell_xml(shell), ("x", "w", "rsp", "p"))

    def _idle_timeout(self, body: Any) -> float:
        asked = text(body, "IdleTimeOut") or text(body, "IdleTimeout")
        if not asked:
            return self.config.idle_timeout_ms / 1000
        seconds = parse_duration(asked)
        if seconds is None or seconds < 0:
            raise faults.schema("IdleTimeOut")
        return min(seconds, UNLIMITED / 1000)

    def _codepage(self, request: Request) -> int:
        value = request.option("WINRS_CODEPAGE")
        if value is None:
            return 437
        try:
            codepage_encoding(int(value))
        except (ValueError, WindowsError) as error:
            raise faults.invalid_parameter() from error
        return int(value)

    async def _command(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        shell = self._shell(request, identity)
        body = request.body
        if body is None or local(body) != "CommandLine":
            raise faults.schema("CommandLine")
        for node in body:
            if local(node) not in ("Command", "Arguments"):
                raise faults.schema(local(node))
        named = child(body, "Command")
        program = "" if named is None else named.text or ""
        if not program.strip():
            raise faults.invalid_parameter()
        if sum(command.running for command in shell.commands.values()) >= self.config.max_processes_per_shell:
            raise faults.processes_quota(self.config.max_processes_per_shell)
        arguments = [node.text or "" for node in children(body, "Arguments")]
        skip_cmd = is_true(request.option("WINRS_SKIP_CMD_SHELL"))
        command_line = " ".join([program, *arguments])
        command = Command(
            asyncio.get_running_loop(),
            command_id=(body.get("CommandId") or "").upper() or None,
            console=is_true(request.option("WINRS_CONSOLEMODE_STDIN")),
        )
        if command.id in shell.commands:
            raise faults.invalid_parameter()
        command.slow_done = self.slow_done()
        image: str | None = None
        if skip_cmd:
            # CreateProcess gets the program by name: no search along PATH.
            image = program.strip('"')
            if len(command_line) > CREATE_PROCESS_LIMIT:
                raise faults.win32(206, "The filename or extension is too long.")
        else:
            if len(command_line) > CMD_LIMIT:
                raise faults.win32(206, "The filename or extension is too long.")
            image = _variable(shell.environment, "ComSpec") or r"C:\Windows\system32\cmd.exe"
            command_line = f'{image} /C "{command_line}"'
        try:
            process = await asyncio.to_thread(
                self.logon.start,
                command_line,
                image=image,
                cwd=shell.working_directory,
                env=dict(shell.environment),
                token=shell.token,
                command=command,
                codepage=shell.codepage,
            )
        except WindowsError as error:
            raise faults.win32(error.code, error.message) from error
        shell.commands[command.id] = command
        shell.operations += 1
        command.started(process)
        if shell.id not in self.shells:  # deleted while the process was being made
            command.abort()
            raise faults.aborted()
        reply = f"<rsp:CommandResponse><rsp:CommandId>{command.id}</rsp:CommandId></rsp:CommandResponse>"
        return envelope(request, SHELL_URI + "/CommandResponse", reply, ("x", "w", "rsp", "p"))

    async def _send(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        shell = self._shell(request, identity)
        body = request.body
        if body is None or local(body) != "Send":
            raise faults.schema("Send")
        timeout = self._operation_timeout(request)
        for node in children(body, "Stream"):
            command = shell.command(node.get("CommandId"))
            if (node.get("Name") or "").lower() not in shell.input_streams.lower().split():
                raise faults.invalid_parameter()
            try:
                data = base64.b64decode("".join((node.text or "").split()), validate=True)
            except ValueError as error:
                raise faults.invalid_parameter() from error
            with self._using(shell):
                await command.send(data, is_true(node.get("End")), timeout)
        return envelope(request, SHELL_URI + "/SendResponse", "<rsp:SendResponse/>", ("x", "w", "rsp", "p"))

    async def _receive(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        shell = self._shell(request, identity)
        desired = child(request.body, "DesiredStream")
        if request.body is None or local(request.body) != "Receive" or desired is None:
            raise faults.schema("Receive")
        command = shell.command(desired.get("CommandId"))
        if command.delivered:
            raise faults.unknown_command()
        streams = (desired.text or shell.output_streams).split()
        if not set(streams) <= set(shell.output_streams.split()):
            raise faults.invalid_parameter()
        size = min(request.max_envelope_size or DEFAULT_ENVELOPE, self.config.max_envelope_size)
        with self._using(shell):
            try:
                chunks, done = await command.receive(
                    streams, self._operation_timeout(request), max(size - RECEIVE_OVERHEAD, 1024)
                )
            finally:
                del desired
        attributes = f"CommandId={quoteattr(command.id)}"
        parts = [
            f'<rsp:Stream Name="{chunk.stream}" {attributes}>{base64.b64encode(chunk.data).decode()}</rsp:Stream>'
            for chunk in chunks
        ]
        if done:
            command.delivered = True
            parts += [f'<rsp:Stream Name="{name}" {attributes} End="true"></rsp:Stream>' for name in streams]
            parts.append(
                f'<rsp:CommandState {attributes} State="{STATE_DONE}">'
                f"<rsp:ExitCode>{command.exit_code}</rsp:ExitCode></rsp:CommandState>"
            )
        else:
            parts.append(f'<rsp:CommandState {attributes} State="{STATE_RUNNING}"></rsp:CommandState>')
        reply = f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"
        return envelope(request, SHELL_URI + "/ReceiveResponse", reply, ("w", "rsp", "p"))

    async def _signal(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        shell = self._shell(request, identity)
        body = request.body
        if body is None or local(body) != "Signal":
            raise faults.schema("Signal")
        command = shell.command(body.get("CommandId"))
        kind = SIGNALS.get((text(body, "Code") or "").lower())
        if kind is None:
            raise faults.invalid_parameter()
        if kind == "terminate":
            shell.commands.pop(command.id, None)
            command.abort()
        elif command.exit_code is None:
            command.interrupt(kind)
        return envelope(request, SHELL_URI + "/SignalResponse", "<rsp:SignalResponse/>", ("x", "w", "rsp", "p"))

    async def _delete(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        self._remove(self._shell(request, identity))
        return envelope(request, TRANSFER + "DeleteResponse", "", ("w", "p"))

    async def _get(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        if request.resource_uri.rstrip("/") == CONFIG_RESOURCE:
            return envelope(request, TRANSFER + "GetResponse", self.config.xml(), ("x", "w", "p"))
        if request.resource_uri in (SHELL_RESOURCE, CMD_RESOURCE):
            body = _shell_xml(self._shell(request, identity))
            return envelope(request, TRANSFER + "GetResponse", body, ("x", "w", "rsp", "p"))
        raise faults.unknown_resource(request.resource_uri)

    async def _enumerate(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        if request.resource_uri != SHELL_RESOURCE:
            raise faults.unknown_resource(request.resource_uri)
        items = "".join(
            _shell_xml(shell) for shell in self.shells.values() if shell.owner.lower() == identity.name.lower()
        )
        optimized = request.body is not None and child(request.body, "OptimizeEnumeration") is not None
        if optimized:
            inner = f"<n:EnumerationContext/><w:Items>{items}</w:Items><w:EndOfSequence/>"
        else:
            inner = f"<n:EnumerationContext>uuid:{new_id()}</n:EnumerationContext>"
        body = f"<n:EnumerateResponse>{inner}</n:EnumerateResponse>"
        return envelope(request, ENUMERATION + "EnumerateResponse", body, ("w", "n", "rsp", "p"))

    async def _pull(self, request: Request, identity: Identity, client_ip: str) -> bytes:
        if request.resource_uri != SHELL_RESOURCE:
            raise faults.unknown_resource(request.resource_uri)
        items = "".join(
            _shell_xml(shell) for shell in self.shells.values() if shell.owner.lower() == identity.name.lower()
        )
        body = f"<n:PullResponse><n:Items>{items}</n:Items><n:EndOfSequence/></n:PullResponse>"
        return envelope(request, ENUMERATION + "PullResponse", body, ("w", "n", "rsp", "p"))

    # -- what the lab's switches do -----------------------------------------------------------------------------------------------

    def lose_shell(self, request: Request) -> None:
        """The shell that a request is about vanishes, as when its host process dies."""
        shell = self.shells.get((request.shell_id or "").upper())
        for victim in [shell] if shell else list(self.shells.values()):
            self._remove(victim)

    def kill_processes(self, request: Request) -> None:
        """The processes of the shell that a request is about die, as when someone ends them."""
        shell = self.shells.get((request.shell_id or "").upper())
        for victim in [shell] if shell else list(self.shells.values()):
            for command in victim.commands.values():
                command.kill(TERMINATED_EXIT)


def _overlay(environment: dict[str, str], variables: dict[str, str]) -> dict[str, str]:
    """Variables over an environment; names are compared without case."""
    names = {name.lower(): name for name in environment}
    merged = dict(environment)
    for name, value in variables.items():
        merged[names.get(name.lower(), name)] = value
    return merged


def _variable(environment: dict[str, str], name: str) -> str | None:
    return next((value for key, value in environment.items() if key.lower() == name.lower()), None)


def _shell_xml(shell: Shell) -> str:
    def element(name: str, value: str | None) -> str:
        return "" if value is None else f"<rsp:{name}>{escape(value)}</rsp:{name}>"

    variables = "".join(
        f"<rsp:Variable Name={quoteattr(name)}>{escape(value)}</rsp:Variable>"
        for name, value in shell.variables.items()
    )
    now = time.monotonic()
    return (
        f'<rsp:Shell xmlns:rsp="{SHELL_URI}">{element("ShellId", shell.id)}{element("Name", shell.name)}'
        f"{element('ResourceUri', shell.resource_uri)}{element('Owner', shell.owner)}{element('ClientIP', shell.client_ip)}"
        + (f"<rsp:Environment>{variables}</rsp:Environment>" if variables else "")
        + element("WorkingDirectory", shell.requested_directory)
        + element("Lifetime", shell.lifetime)
        + f"<rsp:IdleTimeOut>PT{shell.idle_timeout:.3f}S</rsp:IdleTimeOut>"
        f"{element('InputStreams', shell.input_streams)}{element('OutputStreams', shell.output_streams)}"
        f"<rsp:ShellRunTime>{elapsed_duration(now - shell.created)}</rsp:ShellRunTime>"
        f"<rsp:ShellInactivity>{elapsed_duration(now - shell.last_used)}</rsp:ShellInactivity></rsp:Shell>"
    )
