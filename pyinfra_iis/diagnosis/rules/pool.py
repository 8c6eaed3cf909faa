"""Application pools and their worker processes."""

from __future__ import annotations

from datetime import timedelta

from pyinfra_iis.diagnosis.evidence import Evidence
from pyinfra_iis.diagnosis.findings import Explanation, Rules
from pyinfra_iis.diagnosis.rules.words import APPCMD, quoted

RULES = Rules()
_WAS = "Microsoft-Windows-WAS"


def _start(e: Evidence) -> str:
    return f'{APPCMD} start apppool "{e.pool_name}"'


def _down(e: Evidence) -> bool:
    return bool(e.pool) and (e.pool["state"] != "Started" or (e.status == 503 and e.by_kernel))


@RULES.cause("pool-missing")
def pool_missing(e: Evidence) -> Explanation | None:
    if not e.target.get("application") or e.pool:
        return None
    pools = e.told["site"].get("pools", [])
    make = f'{APPCMD} add apppool /name:"{e.pool_name}" /managedRuntimeVersion:""'
    return Explanation(
        f"The site's application pool '{e.pool_name}' does not exist.",
        f"IIS has the pools {quoted(pools)}, and {e.answer}.",
        f"Make the pool with the deploy or `{make}`.",
        (make,),
    )


@RULES.cause("pool-identity")
def pool_identity(e: Evidence) -> Explanation | None:
    reports = e.find_events(_WAS, 5021, 5057, 5059, about=e.pool_name, current=True)
    if not _down(e) or not reports:
        return None
    who = e.pool.get("user") or e.pool.get("identity", "")
    own = f'{APPCMD} set apppool "{e.pool_name}" /processModel.identityType:ApplicationPoolIdentity'
    return Explanation(
        f"The pool '{e.pool_name}' cannot log on as {who}: the password is wrong, or the account is disabled or may not log on as a batch job.",
        f"The pool is {e.pool['state']}, and the event log has {reports[0]}.",
        f"Set the right password, or let the pool have its own identity (`{own}`), then `{_start(e)}`.",
        (own, _start(e)),
    )


@RULES.cause("module-missing")
def module_missing(e: Evidence) -> Explanation | None:
    """A native module's DLL does not load, so each worker process ends."""
    gone = next((image for image in e.images if not image["exists"]), None)
    reports = e.find_events("IIS-W3SVC-WP", 2280, 2282, current=True)
    if e.pool.get("bits32") or not (gone or (reports and _down(e))):
        return None
    proof = f"{gone['image']} is not there" if gone else f"The event log has {reports[0]}: {reports[0].text.strip()}"
    return Explanation(
        "A native module that IIS is told to load cannot be loaded, so every worker process ends at once.",
        f"{proof.rstrip('.')}, and {e.answer}.",
        f"Install HttpPlatformHandler again (run the deploy), then `{_start(e)}`.",
        (_start(e),),
    )


@RULES.cause("pool-32-bit")
def pool_32_bit(e: Evidence) -> Explanation | None:
    reports = e.find_events("IIS-W3SVC-WP", 2280, 2282, current=True)
    if not e.pool.get("bits32") or e.healthy or not (reports or (e.page and e.page.substatus == 21)):
        return None
    change = f'{APPCMD} set apppool "{e.pool_name}" /enable32BitAppOnWin64:false'
    return Explanation(
        f"The pool '{e.pool_name}' runs 32-bit worker processes, which cannot load the 64-bit HttpPlatformHandler.",
        f"enable32BitAppOnWin64 is true, {f'the event log has {reports[0]}, ' if reports else ''}and {e.answer}.",
        f"Switch it off: `{change}`, then `{_start(e)}`.",
        (change, _start(e)),
    )


@RULES.cause("handler-crash")
def handler_crash(e: Evidence) -> Explanation | None:
    """The first build of 1.2 crashed w3wp when a process ended."""
    crashes = [
        event
        for event in e.find_events("Application Error", 1000, since=timedelta(hours=24))
        if "w3wp" in event.text.lower()
    ]
    guilty = next((event for event in crashes if "httpplatformhandler" in event.text.lower()), None)
    if guilty is None:
        return None
    version = next((product["version"] for product in e.products if product["version"].startswith("1.2.")), "")
    return Explanation(
        "HttpPlatformHandler itself crashes IIS's worker process; build 1.2.1958 is known for that.",
        f"The event log has {guilty} with httpPlatformHandler.dll as faulting module; installed is {version or 'an unknown build'}.",
        "Install build 1.2.1959 or version 2.0: the deploy's `handler` setting.",
    )


@RULES.cause("pool-rapid-fail")
def pool_rapid_fail(e: Evidence) -> Explanation | None:
    reports = e.find_events(_WAS, 5002, about=f"'{e.pool_name}'", current=True)
    missing = any(not image["exists"] for image in e.images)
    if not reports or not e.pool or e.pool["state"] == "Started" or missing or e.pool.get("bits32"):
        return None
    ends = e.find_events(_WAS, 5009, 5011, about=f"'{e.pool_name}'", current=True)
    code = f"; {ends[0].text.strip()}" if ends else ""
    return Explanation(
        f"Windows has switched the pool '{e.pool_name}' off because its worker process crashed again and again.",
        f"The event log has {reports[0]}, {len(ends)} reports of a crash{code}.",
        f"Find what ends w3wp.exe (another native module, an antivirus program), then `{_start(e)}`.",
        (_start(e),),
    )


@RULES.cause("pool-stopped")
def pool_stopped(e: Evidence) -> Explanation | None:
    if (
        not e.pool
        or e.pool["state"] != "Stopped"
        or pool_identity(e)
        or module_missing(e)
        or pool_32_bit(e)
        or pool_rapid_fail(e)
    ):
        return None
    return Explanation(
        f"The application pool '{e.pool_name}' is stopped.",
        f"IIS says that its state is Stopped{'' if e.pool['auto_start'] else ', and autoStart is off'}; {e.answer}.",
        f"Start it: `{_start(e)}`.",
        (_start(e),),
    )


@RULES.cause("queue-full")
def queue_full(e: Evidence) -> Explanation | None:
    if e.status != 503 or e.kernel_reasons[:1] != ["QueueFull"]:
        return None
    return Explanation(
        f"More requests wait for the pool '{e.pool_name}' than its queue takes, so further ones are refused.",
        f"HTTP.sys's error log says QueueFull; the queue takes {e.pool.get('queue')}.",
        "Find out why the application is slow (its log, the database); more threads or processes help where it only waits.",
    )


@RULES.notice("shutdown-slow")
def shutdown_slow(e: Evidence) -> Explanation | None:
    reports = e.find_events(_WAS, 5013, about=f"'{e.pool_name}'")
    if not reports:
        return None
    return Explanation(
        "Requests or WebSockets that do not end kept the old worker process from ending in time, so they were cut.",
        f"The event log has {reports[0]} of {reports[0].time:%Y-%m-%d %H:%M} UTC: it exceeded time limits during shut down.",
        "Let the application close idle WebSockets, or allow more time with the pool's shutdownTimeLimit.",
    )
