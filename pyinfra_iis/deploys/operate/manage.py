"""Django's management commands on the servers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyinfra import logger
from pyinfra.api import DeployError, Host
from pyinfra.context import ctx_host, ctx_state

from pyinfra_iis.deploys.operate.ask import running_settings
from pyinfra_iis.deploys.operate.report import Report, report
from pyinfra_iis.operations import operate
from pyinfra_iis.settings import DjangoSettings

LONGEST = 32_000
"""Characters of arguments: a command line of Windows has at most 32,767."""


def manage(command: Any, environment: Any = (), output: str = "", **options: Any) -> None:
    """Run manage.py of the live release on each server, with its Python and the variables of its app pool; a host where it fails is failed.

    Args:
        command: what follows `manage.py`: one text, split as a POSIX shell would (`createsuperuser --noinput --username "x y"`), or a list of arguments.
        environment: names of environment variables of this machine that the command gets too, one text with commas or a list; their values are shown nowhere.
        output: a file on this machine for what the command writes to its standard output; with several hosts, `{host}` in it becomes the host's name.
        options: as for `running_settings`.

    Raises:
        DeployError: settings or arguments that cannot be used; nothing has run.
    """
    settings = running_settings(options)
    if not isinstance(settings, DjangoSettings):
        raise DeployError(f"{settings.app} is no Django application, so it has no management commands.")
    arguments = read_arguments(command)
    target = _target(output) if output else None
    answers = report("Manage", Report)

    def done(host: Host, answer: dict[str, Any]) -> None:
        answers.add_later(host, {"command": arguments, **answer})
        # What a command that failed has written is no dump.
        if target and answer["exit_code"] == 0:
            partial = target.with_name(f"{target.name}.partial")
            partial.write_text("".join(f"{line}\n" for line in answer["stdout"]), encoding="utf-8", newline="\n")
            partial.replace(target)
            logger.info(f"{host.print_prefix}{len(answer['stdout'])} lines written to {target}")

    made = operate.managed(
        name=f"{settings.app}: manage.py {shlex.join(arguments)}",
        settings=settings,
        arguments=arguments,
        environment=_variables(environment),
        tell=done,
    )
    answers.attach(made)
    answers.add_later(ctx_host.get(), {"command": arguments})
    logger.info(f"{ctx_host.get().print_prefix}to run: manage.py {shlex.join(arguments)}")


def read_arguments(command: Any) -> list[str]:
    """The arguments that a command says.

    Args:
        command: a text or a list; `--data` makes numbers and truth values of some texts.

    Raises:
        DeployError: there are none, or they cannot be arguments of a Windows program.
    """
    if isinstance(command, bool):
        command = str(command).lower()
    if isinstance(command, list | tuple):
        arguments = [item if isinstance(item, str) else _plain(item) for item in command]
    else:
        try:
            arguments = shlex.split(str(command if command is not None else ""))
        except ValueError as error:
            raise DeployError(f"command is {command}; it cannot be split into arguments: {error}.") from None
    if not arguments or not arguments[0]:
        raise DeployError(
            'Say which command: --data command="check --deploy", or a list: --data command=\'["check"]\'.'
        )
    for argument in arguments:
        if "\x00" in argument:
            raise DeployError(f"The argument {argument!r} holds a null character, which no argument of a program can.")
        try:
            argument.encode("utf-16-le")
        except UnicodeEncodeError:
            raise DeployError(f"The argument {argument!r} is no text: it has half of a character.") from None
    if sum(map(len, arguments)) > LONGEST:
        raise DeployError("The arguments are longer than a command line of Windows may be, 32,767 characters.")
    return arguments


def _plain(item: Any) -> str:
    if isinstance(item, int | float) and not isinstance(item, bool):
        return str(item)
    raise DeployError(f"command holds {item!r}; write each argument as a text.")


def _variables(names: Any) -> dict[str, str]:
    given = names.split(",") if isinstance(names, str) else names
    if not isinstance(given, Sequence) or not all(isinstance(name, str) for name in given):
        raise DeployError(f"env is {names!r}; say names of environment variables.")
    wanted = [name.strip() for name in given if name.strip()]
    missing = [name for name in wanted if name not in os.environ]
    if missing:
        raise DeployError(f"The environment variable {missing[0]} is not set on this machine.")
    return {name: os.environ[name] for name in wanted}


def _target(output: str) -> Path:
    run = ctx_state.get()
    several = len(run.inventory.get_active_hosts()) > 1
    if several and "{host}" not in output:
        raise DeployError(
            f"output is {output}, but several hosts would write to it; put {{host}} into it, or say --limit."
        )
    name = ctx_host.get().name.removeprefix("@winrm/").replace("/", "_")
    path = Path(run.cwd or ".") / Path(output.replace("{host}", name)).expanduser()
    if not path.parent.is_dir():
        raise DeployError(f"The folder {path.parent} for output does not exist.")
    return path
