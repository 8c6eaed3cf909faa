"""sc.exe, net.exe (services, users, groups) and iisreset.exe"""

from __future__ import annotations

import itertools
import re

from winlab.windows.errors import WindowsError, system_message
from winlab.windows.processes import ProgramContext
from winlab.windows.services import STATES, Service

_START = {
    "Boot": "BOOT_START",
    "System": "SYSTEM_START",
    "Automatic": "AUTO_START",
    "Manual": "DEMAND_START",
    "Disabled": "DISABLED",
}
_START_WORDS = {
    "boot": "Boot",
    "system": "System",
    "auto": "Automatic",
    "demand": "Manual",
    "disabled": "Disabled",
    "delayed-auto": "Automatic",
}
_STATE_WORDS = {
    "Stopped": "STOPPED",
    "Running": "RUNNING",
    "StartPending": "START_PENDING",
    "StopPending": "STOP_PENDING",
    "Paused": "PAUSED",
}


def sc(ctx: ProgramContext) -> int:
    """query, queryex, qc, qdescription, start, stop, config, create, delete, description."""
    arguments = ctx.argv[1:]
    if arguments and arguments[0].startswith("\\\\"):
        if arguments[0].strip("\\").upper() not in (ctx.machine.name, "LOCALHOST", "."):
            return _fail(ctx, "OpenSCManager", 1722)
        arguments = arguments[1:]
    verb = arguments[0].lower() if arguments else ""
    verbs = {
        "query": _query,
        "queryex": _query,
        "qc": _qc,
        "qdescription": _qdescription,
        "start": _start,
        "stop": _stop,
        "config": _config,
        "create": _create,
        "delete": _delete,
        "description": _description,
    }
    if verb not in verbs:
        ctx.out(f"\nERROR:  Unrecognized command\n\nsc {verb}: this lab knows {', '.join(verbs)}.\n\n")
        return 1639
    try:
        if verb in ("start", "stop", "config", "create", "delete", "description") and not ctx.user.elevated:
            raise _ScError("OpenService" if verb != "create" else "OpenSCManager", 5)
        return verbs[verb](ctx, arguments)
    except _ScError as exc:
        return _fail(ctx, exc.function, exc.code)
    except WindowsError as exc:
        function = {
            "start": "StartService",
            "stop": "ControlService",
            "create": "CreateService",
            "delete": "DeleteService",
        }.get(verb, "OpenService")
        return _fail(ctx, "OpenService" if exc.code == 1060 else function, exc.code)


class _ScError(Exception):
    def __init__(self, function: str, code: int) -> None:
        super().__init__(function, code)
        self.function, self.code = function, code


def _fail(ctx: ProgramContext, function: str, code: int) -> int:
    where = "EnumQueryServicesStatus:OpenService" if function == "EnumQuery" else function
    ctx.out(f"[SC] {where} FAILED {code}:\n\n{system_message(code)}\n\n")
    return code


def _status(ctx: ProgramContext, service: Service, extended: bool, named: bool) -> None:
    state = service.status
    controls = (
        "STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN"
        if state == "Running"
        else "NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN"
    )
    kind = "20  WIN32_SHARE_PROCESS" if "svchost" in service.image_path else "10  WIN32_OWN_PROCESS"
    ctx.out(f"\nSERVICE_NAME: {service.name} \n" + (f"DISPLAY_NAME: {service.display_name}\n" if named else ""))
    ctx.out(
        f"        TYPE               : {kind}  \n        STATE              : {STATES[state]}  {_STATE_WORDS.get(state, state.upper())} \n"
        f"                                ({controls})\n        WIN32_EXIT_CODE    : {service.exit_code}  (0x{service.exit_code:x})\n"
        "        SERVICE_EXIT_CODE  : 0  (0x0)\n        CHECKPOINT         : 0x0\n        WAIT_HINT          : 0x0\n"
    )
    if extended:
        ctx.out(f"        PID                : {service.pid}\n        FLAGS              : \n")


def _query(ctx: ProgramContext, arguments: list[str]) -> int:
    names = [item for item in arguments[1:2] if not item.endswith("=")]
    options = {a[:-1].lower(): b for a, b in itertools.pairwise(arguments[1:]) if a.endswith("=")}
    extended = arguments[0].lower() == "queryex"
    if names and not options:
        service = ctx.machine.services.find(names[0]) if ctx.machine.services.exists(names[0]) else None
        if service is None:
            raise _ScError("EnumQuery", 1060)
        _status(ctx, service, extended, False)
        return 0
    wanted = options.get("state", "active").lower()
    for service in ctx.machine.services.all():
        if wanted == "all" or (service.status == "Running") == (wanted != "inactive"):
            _status(ctx, service, extended, True)
    return 0


def _named(ctx: ProgramContext, arguments: list[str]) -> Service:
    if len(arguments) < 2:
        raise _ScError("OpenService", 1639)
    return ctx.machine.services.get(arguments[1])


def _qc(ctx: ProgramContext, arguments: list[str]) -> int:
    service = _named(ctx, arguments)
    kind = "20  WIN32_SHARE_PROCESS" if "svchost" in service.image_path else "10  WIN32_OWN_PROCESS"
    number = {"Boot": 0, "System": 1, "Automatic": 2, "Manual": 3, "Disabled": 4}[service.start_type]
    delayed = "  (DELAYED)" if service.delayed else ""
    dependencies = service.depends_on or [""]
    ctx.out(
        f"[SC] QueryServiceConfig SUCCESS\n\nSERVICE_NAME: {service.name}\n        TYPE               : {kind} \n"
        f"        START_TYPE         : {number}   {_START[service.start_type]}{delayed}\n        ERROR_CONTROL      : 1   NORMAL\n"
        f"        BINARY_PATH_NAME   : {service.image_path}\n        LOAD_ORDER_GROUP   : \n        TAG                : 0\n"
        f"        DISPLAY_NAME       : {service.display_name}\n        DEPENDENCIES       : {dependencies[0]}\n"
        + "".join(f"                           : {item}\n" for item in dependencies[1:])
        + f"        SERVICE_START_NAME : {service.account}\n"
    )
    return 0


def _qdescription(ctx: ProgramContext, arguments: list[str]) -> int:
    service = _named(ctx, arguments)
    ctx.out(f"[SC] QueryServiceConfig2 SUCCESS\n\nSERVICE_NAME: {service.name}\nDESCRIPTION:  {service.description}\n")
    return 0


def _start(ctx: ProgramContext, arguments: list[str]) -> int:
    service = _named(ctx, arguments)
    ctx.machine.services.start(service.name)
    _status(ctx, service, True, False)
    return 0


def _stop(ctx: ProgramContext, arguments: list[str]) -> int:
    service = _named(ctx, arguments)
    ctx.machine.services.stop(service.name)
    _status(ctx, service, False, False)
    return 0


def _options(ctx: ProgramContext, arguments: list[str]) -> dict[str, str]:
    """`name= value` pairs: the equal sign belongs to the name, the value is the next argument."""
    result: dict[str, str] = {}
    index = 0
    while index < len(arguments):
        name, equals, value = arguments[index].partition("=")
        if not equals or name.lower() not in (
            "type",
            "start",
            "error",
            "binpath",
            "group",
            "tag",
            "depend",
            "obj",
            "displayname",
            "password",
        ):
            raise _ScError("ChangeServiceConfig", 1639)
        if not value:
            index += 1
            value = arguments[index] if index < len(arguments) else ""
        result[name.lower()] = value
        index += 1
    if "start" in result and result["start"].lower() not in _START_WORDS:
        raise _ScError("ChangeServiceConfig", 1639)
    return result


def _config(ctx: ProgramContext, arguments: list[str]) -> int:
    service = _named(ctx, arguments)
    options = _options(ctx, arguments[2:])
    start = options.get("start", "").lower()
    ctx.machine.services.configure(
        service.name,
        start_type=_START_WORDS.get(start),
        delayed=(start == "delayed-auto") if start in ("auto", "delayed-auto") else None,
        display_name=options.get("displayname"),
        image_path=options.get("binpath"),
        account=options.get("obj"),
        depends_on=[item for item in options["depend"].split("/") if item] if "depend" in options else None,
    )
    ctx.out("[SC] ChangeServiceConfig SUCCESS\n")
    return 0


def _create(ctx: ProgramContext, arguments: list[str]) -> int:
    options = _options(ctx, arguments[2:])
    if len(arguments) < 2 or "binpath" not in options:
        raise _ScError("CreateService", 1639)
    ctx.machine.services.create(
        arguments[1],
        options["binpath"],
        options.get("displayname"),
        _START_WORDS[options.get("start", "demand").lower()],
        options.get("obj", "LocalSystem"),
        [item for item in options.get("depend", "").split("/") if item],
    )
    ctx.out("[SC] CreateService SUCCESS\n")
    return 0


def _delete(ctx: ProgramContext, arguments: list[str]) -> int:
    ctx.machine.services.delete(_named(ctx, arguments).name)
    ctx.out("[SC] DeleteService SUCCESS\n")
    return 0


def _description(ctx: ProgramContext, arguments: list[str]) -> int:
    ctx.machine.services.configure(_named(ctx, arguments).name, description=arguments[2] if len(arguments) > 2 else "")
    ctx.out("[SC] ChangeServiceConfig2 SUCCESS\n")
    return 0


# -- net ------------------------------------------------------------------------------------------------------------------------------------

_NET_CODES = {1056: 2182, 1062: 3521, 1060: 2185}
_NET_MESSAGES = {
    2182: "The requested service has already been started.",
    2185: "The service name is invalid.",
    3521: "The {0} service is not started.",
}


def net(ctx: ProgramContext) -> int:
    """start, stop, user, localgroup, share (list only)."""
    arguments = ctx.argv[1:]
    verb = arguments[0].lower() if arguments else ""
    verbs = {"start": _net_start, "stop": _net_stop, "user": _net_user, "localgroup": _net_group, "share": _net_share}
    if verb not in verbs:
        ctx.err(
            "The syntax of this command is:\n\nNET\n    [ LOCALGROUP | SHARE | START | STOP | USER ]\n\nThe other "
            "commands of NET are not simulated by this lab.\n"
        )
        return 1
    try:
        return verbs[verb](ctx, arguments[1:])
    except WindowsError as exc:
        return _net_error(ctx, exc.code, exc.message)


def _net_error(ctx: ProgramContext, code: int, message: str) -> int:
    ctx.err(
        f"System error {code} has occurred.\n\n{message}\n\n"
        if code < 2100
        else f"{message}\n\nMore help is available by typing NET HELPMSG {code}.\n\n"
    )
    return 2


def _net_service(ctx: ProgramContext, arguments: list[str]) -> Service:
    service = ctx.machine.services.find(arguments[0])
    if service is None:
        raise WindowsError(2185, "The service name is invalid.")
    if not ctx.user.elevated:
        raise WindowsError(5)
    return service


def _net_start(ctx: ProgramContext, arguments: list[str]) -> int:
    if not arguments:
        ctx.out("These Windows services are started:\n\n")
        for service in sorted(ctx.machine.services.all(), key=lambda item: item.display_name.lower()):
            if service.status == "Running":
                ctx.out(f"   {service.display_name}\n")
        ctx.out("\nThe command completed successfully.\n\n")
        return 0
    service = _net_service(ctx, arguments)
    if service.status == "Running":
        raise WindowsError(2182, _NET_MESSAGES[2182])
    ctx.machine.services.start(service.name)
    ctx.out(
        f"The {service.display_name} service is starting.\nThe {service.display_name} service was started successfully.\n\n"
    )
    return 0


def _net_stop(ctx: ProgramContext, arguments: list[str]) -> int:
    if not arguments:
        return ctx.fail("The syntax of this command is:\n\nNET STOP\nservice\n")
    service = _net_service(ctx, arguments)
    if service.status != "Running":
        raise WindowsError(3521, _NET_MESSAGES[3521].format(service.display_name))
    dependents = [item for item in service.dependents if item.status == "Running"]
    if dependents and "/y" not in [item.lower() for item in arguments]:
        ctx.out(f"The following services are dependent on the {service.display_name} service.\n")
        ctx.out(
            "".join(f"   {item.display_name}\n" for item in dependents)
            + "\nDo you want to continue this operation? (Y/N) [N]: \n"
        )
        return _net_error(ctx, 1051, system_message(1051))
    for item in dependents:
        ctx.machine.services.stop(item.name, force=True)
        ctx.out(
            f"The {item.display_name} service is stopping.\nThe {item.display_name} service was stopped successfully.\n\n"
        )
    ctx.machine.services.stop(service.name)
    ctx.out(
        f"The {service.display_name} service is stopping.\nThe {service.display_name} service was stopped successfully.\n\n"
    )
    return 0


def _columns(names: list[str]) -> str:
    lines = ["".join(f"{name:<25}" for name in names[i : i + 3]).rstrip() for i in range(0, len(names), 3)]
    return "\n".join(lines) + "\n"


def _net_user(ctx: ProgramContext, arguments: list[str]) -> int:
    accounts = ctx.machine.accounts
    switches = [item for item in arguments if item.startswith("/")]
    words = [item for item in arguments if not item.startswith("/")]
    if not words:
        ctx.out(
            f"\nUser accounts for \\\\{ctx.machine.name}\n\n{'-' * 79}\n{_columns(sorted(accounts.users))}The command completed successfully.\n\n"
        )
        return 0
    name = words[0]
    lowered = [item.lower() for item in switches]
    if ("/add" in lowered or "/delete" in lowered or len(words) > 1 or switches) and not ctx.user.elevated:
        raise WindowsError(5)
    if "/delete" in lowered:
        accounts.remove_user(name)
    elif "/add" in lowered:
        if len(words) > 1 and words[1] == "*":
            raise WindowsError(50, "A prompt for the password is not simulated by this lab.")
        accounts.add_user(name, words[1] if len(words) > 1 else "")
        accounts.add_member("Users", name)
        _net_user_options(ctx, name, switches)
    elif len(words) > 1 or switches:
        found = accounts.find_user(name)
        if found is None:
            raise WindowsError(2221, "The user name could not be found.")
        if len(words) > 1:
            found[1]["password"] = words[1]
        _net_user_options(ctx, name, switches)
        accounts.save()
    else:
        return _net_user_show(ctx, name)
    ctx.out("The command completed successfully.\n\n")
    return 0


def _net_user_options(ctx: ProgramContext, name: str, switches: list[str]) -> None:
    found = ctx.machine.accounts.find_user(name)
    assert found is not None
    for switch in switches:
        option, _, value = switch[1:].partition(":")
        option = option.lower()
        if option == "active":
            found[1]["enabled"] = value.lower() != "no"
        elif option == "comment":
            found[1]["description"] = value.strip('"')
        elif option == "fullname":
            found[1]["full_name"] = value.strip('"')
        elif option == "expires":
            found[1]["password_never_expires"] = value.lower() == "never"
        elif option not in ("add", "y", "passwordchg", "passwordreq", "logonpasswordchg"):
            raise WindowsError(50, f"NET USER /{option.upper()} is not simulated by this lab.")
    ctx.machine.accounts.save()


def _net_user_show(ctx: ProgramContext, name: str) -> int:
    accounts = ctx.machine.accounts
    found = accounts.find_user(name)
    if found is None:
        raise WindowsError(2221, "The user name could not be found.")
    stored, record = found
    groups = [group for group, data in accounts.groups.items() if accounts.user_sid(stored) in data["members"]]
    active = "Yes" if record["enabled"] else "No"
    ctx.out(
        f"User name                    {stored}\nFull Name                    {record.get('full_name', '')}\n"
        f"Comment                      {record['description']}\n"
        "User's comment               \nCountry/region code          000 (System Default)\nAccount active         "
        f"      {active}\nAccount expires              Never\n\n"
        f"Local Group Memberships      {' '.join('*' + group for group in groups)}\nGlobal Group memberships     "
        "*None                 \nThe command completed successfully.\n\n"
    )
    return 0


def _net_group(ctx: ProgramContext, arguments: list[str]) -> int:
    accounts = ctx.machine.accounts
    switches = [item.lower() for item in arguments if item.startswith("/")]
    words = [item for item in arguments if not item.startswith("/")]
    if not words:
        names = ["*" + name for name in sorted(accounts.groups)]
        ctx.out(
            f"\nAliases for \\\\{ctx.machine.name}\n\n{'-' * 79}\n"
            + "\n".join(names)
            + "\nThe command completed successfully.\n\n"
        )
        return 0
    if switches and not ctx.user.elevated:
        raise WindowsError(5)
    group, members = words[0], words[1:]
    if "/add" in switches:
        if not members:
            accounts.add_group(group)
        for member in members:
            accounts.add_member(group, member)
    elif "/delete" in switches:
        if not members:
            accounts.remove_group(group)
        for member in members:
            accounts.remove_member(group, member)
    else:
        found = accounts.find_group(group)
        if found is None:
            raise WindowsError(1376)
        names = [_short(ctx, sid) for sid in found[1]["members"]]
        ctx.out(f"Alias name     {found[0]}\nComment        {found[1]['description']}\n\nMembers\n\n{'-' * 79}\n")
        ctx.out("".join(f"{name}\n" for name in names) + "The command completed successfully.\n\n")
        return 0
    ctx.out("The command completed successfully.\n\n")
    return 0


def _short(ctx: ProgramContext, sid: str) -> str:
    name = ctx.machine.accounts.name_of(sid)
    return re.sub(rf"^{re.escape(ctx.machine.name)}\\", "", name, flags=re.IGNORECASE)


def _net_share(ctx: ProgramContext, arguments: list[str]) -> int:
    if arguments:
        return ctx.fail("Changing shares is not simulated by this lab.", 2)
    ctx.out(
        f"\nShare name   Resource                        Remark\n\n{'-' * 79}\n"
        "C$           C:\\                             Default share                     \nIPC$                   "
        "                      Remote IPC                        \n"
        "ADMIN$       C:\\Windows                      Remote Admin                      \nThe command completed successfully.\n\n"
    )
    return 0


def iisreset(ctx: ProgramContext) -> int:
    """/start, /stop, /restart (the default), /status."""
    option = ctx.argv[1].lower().lstrip("/-") if len(ctx.argv) > 1 else "restart"
    services = ctx.machine.services
    if not ctx.user.elevated:
        return ctx.fail(
            (
                "Access denied, you must be an administrator of the remote computer to use this\ncommand. Either have "
                "your user account added to the administrator local group of\nthe remote computer or to the domain "
                "administrator global group."
            ),
            5,
        )
    if not services.exists("W3SVC"):
        return ctx.fail("The IIS services are not installed.", 1060)
    if option == "status":
        for name in ("WAS", "W3SVC"):
            ctx.out(f"Status for {services.get(name).display_name} ( {name} ) : {services.get(name).status}\n")
        return 0
    if option not in ("start", "stop", "restart", "noforce"):
        return ctx.fail(f"iisreset /{option} is not simulated by this lab.", 87)
    if option in ("stop", "restart", "noforce"):
        ctx.out("\nAttempting stop...\n")
        if services.get("W3SVC").status == "Running":
            services.stop("W3SVC", force=True)
        ctx.out("Internet services successfully stopped\n")
    if option in ("start", "restart", "noforce"):
        ctx.out("Attempting start...\n")
        if services.get("W3SVC").status != "Running":
            services.start("W3SVC")
        ctx.out("Internet services successfully " + ("restarted\n" if option != "start" else "started\n"))
    return 0
