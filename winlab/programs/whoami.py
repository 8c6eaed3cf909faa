"""whoami.exe"""

from __future__ import annotations

from winlab.programs import tables
from winlab.windows.accounts import Token
from winlab.windows.processes import ProgramContext

ADMINISTRATOR_PRIVILEGES = {
    "SeIncreaseQuotaPrivilege": "Adjust memory quotas for a process",
    "SeSecurityPrivilege": "Manage auditing and security log",
    "SeTakeOwnershipPrivilege": "Take ownership of files or other objects",
    "SeLoadDriverPrivilege": "Load and unload device drivers",
    "SeSystemProfilePrivilege": "Profile system performance",
    "SeSystemtimePrivilege": "Change the system time",
    "SeProfileSingleProcessPrivilege": "Profile single process",
    "SeIncreaseBasePriorityPrivilege": "Increase scheduling priority",
    "SeCreatePagefilePrivilege": "Create a pagefile",
    "SeBackupPrivilege": "Back up files and directories",
    "SeRestorePrivilege": "Restore files and directories",
    "SeShutdownPrivilege": "Shut down the system",
    "SeDebugPrivilege": "Debug programs",
    "SeSystemEnvironmentPrivilege": "Modify firmware environment values",
    "SeChangeNotifyPrivilege": "Bypass traverse checking",
    "SeRemoteShutdownPrivilege": "Force shutdown from a remote system",
    "SeUndockPrivilege": "Remove computer from docking station",
    "SeManageVolumePrivilege": "Perform volume maintenance tasks",
    "SeImpersonatePrivilege": "Impersonate a client after authentication",
    "SeCreateGlobalPrivilege": "Create global objects",
    "SeIncreaseWorkingSetPrivilege": "Increase a process working set",
    "SeTimeZonePrivilege": "Change the time zone",
    "SeCreateSymbolicLinkPrivilege": "Create symbolic links",
}
USER_PRIVILEGES = ("SeChangeNotifyPrivilege", "SeIncreaseWorkingSetPrivilege")
SERVICE_PRIVILEGES = (
    "SeAssignPrimaryTokenPrivilege",
    "SeIncreaseQuotaPrivilege",
    "SeAuditPrivilege",
    "SeChangeNotifyPrivilege",
    "SeImpersonatePrivilege",
    "SeCreateGlobalPrivilege",
    "SeIncreaseWorkingSetPrivilege",
)
_ATTRIBUTES = "Mandatory group, Enabled by default, Enabled group"


def privileges(user: Token) -> dict[str, str]:
    """Name -> description of what a token holds."""
    extra = {
        "SeAssignPrimaryTokenPrivilege": "Replace a process level token",
        "SeAuditPrivilege": "Generate security audits",
    }
    everything = {**extra, **ADMINISTRATOR_PRIVILEGES}
    if user.elevated:
        return dict(ADMINISTRATOR_PRIVILEGES)
    names = (
        SERVICE_PRIVILEGES
        if user.sid.startswith(("S-1-5-82-", "S-1-5-80-", "S-1-5-19", "S-1-5-20"))
        else USER_PRIVILEGES
    )
    return {name: everything[name] for name in names}


def main(ctx: ProgramContext) -> int:
    """Without options `domain\\user` in lower case; /user /groups /priv /all /logonid with /fo and /nh."""
    options = [argument.lower() for argument in ctx.argv[1:]]
    kind, headers = "table", True
    wanted: set[str] = set()
    index = 0
    while index < len(options):
        option = options[index].replace("-", "/", 1)
        if option == "/fo" and index + 1 < len(options) and options[index + 1] in ("table", "list", "csv"):
            kind, index = options[index + 1], index + 1
        elif option == "/nh":
            headers = False
        elif option in ("/user", "/groups", "/priv", "/all", "/logonid", "/claims"):
            wanted.add(option)
        elif option in ("/upn", "/fqdn"):
            return ctx.fail(
                "ERROR: Unable to get User Principal Name (UPN) as the current logged-on user\nis not a domain user."
            )
        elif option == "/?":
            ctx.out(_HELP)
            return 0
        else:
            ctx.err(f"ERROR: Invalid argument/option - '{ctx.argv[index + 1]}'.\nType \"WHOAMI /?\" for usage.\n")
            return 1
        index += 1
    name = ctx.user.name.lower()
    if not wanted:
        ctx.out(name + "\n")
        return 0
    if "/logonid" in wanted:
        ctx.out("S-1-5-5-0-" + str(abs(hash(ctx.user.sid)) % 1000000) + "\n")
        return 0
    for option, section in (("/user", _user), ("/groups", _groups), ("/priv", _privileges)):
        if option in wanted or "/all" in wanted:
            title, columns, rows = section(ctx)
            if headers and kind != "csv":
                ctx.out(f"\n{title}\n{'-' * len(title)}\n\n")
            ctx.out(tables.formatted(kind, columns, rows, headers))
    if "/all" in wanted and kind != "csv":
        ctx.out("\nERROR: Unable to get user claims information.\n")
    return 0


def _user(ctx: ProgramContext) -> tuple[str, list[str], list[list[str]]]:
    return "USER INFORMATION", ["User Name", "SID"], [[ctx.user.name.lower(), ctx.user.sid]]


def _groups(ctx: ProgramContext) -> tuple[str, list[str], list[list[str]]]:
    rows = []
    for sid in sorted(ctx.user.groups, key=_order):
        name = ctx.machine.accounts.name_of(sid)
        kind = (
            "Label"
            if sid.startswith("S-1-16-")
            else "Alias"
            if sid.startswith(("S-1-5-32-", "S-1-5-21-"))
            else "Well-known group"
        )
        owner = ", Group owner" if sid == "S-1-5-32-544" else ""
        rows.append([name if name != sid else "", kind, sid, "" if kind == "Label" else _ATTRIBUTES + owner])
    return "GROUP INFORMATION", ["Group Name", "Type", "SID", "Attributes"], rows


def _order(sid: str) -> tuple[int, str]:
    if sid.startswith("S-1-16-"):
        return 3, sid
    return (0 if sid == "S-1-1-0" else 1 if sid.startswith("S-1-5-32-") else 2), sid


def _privileges(ctx: ProgramContext) -> tuple[str, list[str], list[list[str]]]:
    rows = [[name, description, "Enabled"] for name, description in privileges(ctx.user).items()]
    return "PRIVILEGES INFORMATION", ["Privilege Name", "Description", "State"], rows


_HELP = """
WhoAmI has three ways of working:

Syntax 1:
    WHOAMI [/UPN | /FQDN | /LOGONID]

Syntax 2:
    WHOAMI { [/USER] [/GROUPS] [/CLAIMS] [/PRIV] } [/FO format] [/NH]

Syntax 3:
    WHOAMI /ALL [/FO format] [/NH]
"""
