"""The server as a whole: IIS, its services, disks, clock, deploys under way."""

from __future__ import annotations

from datetime import timedelta

from pyinfra_iis.diagnosis.evidence import Evidence
from pyinfra_iis.diagnosis.findings import Explanation, Rules
from pyinfra_iis.diagnosis.rules.words import output_says, quoted

RULES = Rules()

_FULL = 20 * 1024**2
_SCARCE = 1024**3


@RULES.cause("iis-missing")
def iis_missing(e: Evidence) -> Explanation | None:
    if e.installed or "site" not in e.told or "site" in e.blind:
        return None
    return Explanation(
        "IIS with its management scripts is not installed on this server.",
        r"Microsoft.Web.Administration.dll is not in C:\Windows\System32\inetsrv.",
        "Run the deploy, which installs IIS, or install the Windows features Web-Server and Web-Scripting-Tools.",
    )


@RULES.cause("service-stopped")
def service_stopped(e: Evidence) -> Explanation | None:
    stopped = [name for name in ("WAS", "W3SVC") if e.installed and e.services.get(name) != "Running"]
    if not stopped:
        return None
    return Explanation(
        f"The Windows service {' and '.join(stopped)} does not run, so IIS serves nothing.",
        ", ".join(f"{name} is {e.services.get(name, 'not there')}" for name in stopped) + ".",
        "Start it with `net start W3SVC`, which starts WAS too.",
        ("net start W3SVC",),
    )


@RULES.cause("site-missing")
def site_missing(e: Evidence) -> Explanation | None:
    if not e.installed or e.site:
        return None
    return Explanation(
        f"IIS has no site '{e.name}'.",
        f"Its sites are {quoted(site['name'] for site in e.sites) or 'none'}.",
        "Run the deploy, or name the site that is meant: --data site=NAME.",
    )


@RULES.cause("application-missing")
def application_missing(e: Evidence) -> Explanation | None:
    if not e.site or not e.target or e.target["application"]:
        return None
    return Explanation(
        f"The site '{e.name}' has no application '{e.application}'.",
        f"Its applications are {quoted(e.target['applications'])}.",
        "Name one of these: --data application=PATH.",
    )


@RULES.cause("disk-full")
def disk_full(e: Evidence) -> Explanation | None:
    full = [f"{disk['name']} has {disk['free'] // 1024**2} MB free" for disk in e.disks if disk["free"] < _FULL]
    said = e.said(r"^.*(?:No space left on device|WinError 112|Errno 28|database or disk is full).*$")
    if said and not e.healthy:
        full.append(output_says(e, said[0]))
    if not full:
        return None
    return Explanation(
        "The disk is full.",
        f"{'; '.join(full)}.",
        f"Make room: old files in {e.target.get('log', 'the folder of IIS logs')} and the application's logs are the usual ones.",
    )


@RULES.notice("disk-scarce")
def disk_scarce(e: Evidence) -> Explanation | None:
    scarce = [disk for disk in e.disks if _FULL <= disk["free"] < min(_SCARCE, disk["size"] // 10)]
    if not scarce:
        return None
    return Explanation(
        "The disk is nearly full.",
        ", ".join(
            f"{disk['name']} has {disk['free'] // 1024**2} MB of {disk['size'] // 1024**2} MB free" for disk in scarce
        )
        + ".",
        rf"Make room: {e.target.get('log', 'IIS logs')} is never cleaned by IIS itself.",
    )


@RULES.notice("restart-pending")
def restart_pending(e: Evidence) -> Explanation | None:
    if not e.server.get("restart"):
        return None
    return Explanation(
        "Windows waits for a restart, until which updates and features are half installed.",
        f"{' and '.join(e.server['restart'])} says so in the registry.",
        "Restart the server when visitors can miss it: `shutdown /r /t 0`.",
    )


@RULES.notice("clock-wrong")
def clock_wrong(e: Evidence) -> Explanation | None:
    seconds = e.clock_difference.total_seconds()
    if abs(e.clock_difference) < timedelta(minutes=2):
        return None
    return Explanation(
        "The clocks of the server and of this machine differ, which breaks logging on, TLS and everything signed with a time.",
        f"The server's clock is {abs(seconds):.0f} seconds {'ahead' if seconds > 0 else 'behind'}.",
        "Let both follow a time server; on the server: `w32tm /resync`.",
        ("w32tm /resync",),
    )


@RULES.notice("deploy-running")
def deploy_running(e: Evidence) -> Explanation | None:
    lock = e.release.get("lock")
    if not lock or not lock["alive"]:
        return None
    return Explanation(
        "A deploy of this application is under way, or hangs.",
        f"{lock['by']} has held {e.release['root']}\\deploy.lock since {lock['since']} by process {lock['process']}.",
        f"Wait until it has ended, or end that process if it hangs: `taskkill /F /T /PID {lock['process']}`.",
        (f"taskkill /F /T /PID {lock['process']}",),
    )


@RULES.notice("release-half-done")
def release_half_done(e: Evidence) -> Explanation | None:
    partial = e.release.get("partial", [])
    if not partial or (e.release.get("lock") or {}).get("alive"):
        return None
    return Explanation(
        "A deploy was broken off and left something half done; the live release is not touched by it.",
        f"There is {', '.join(partial)}.",
        "Run the deploy again, which removes it and starts anew.",
    )


@RULES.notice("release-bad")
def release_bad(e: Evidence) -> Explanation | None:
    if not e.release.get("bad"):
        return None
    return Explanation(
        f"The live release {e.release['id']} is marked as bad.",
        f"There is {e.release['root']}\\releases\\{e.release['id']}.bad.",
        "Roll back to the release before with deploys/rollback.py, or deploy a new one.",
    )


@RULES.cause("maintenance")
def maintenance(e: Evidence) -> Explanation | None:
    if not e.release.get("maintenance") or e.status != 503 or e.by_kernel:
        return None
    remove = f'del "{e.release["root"]}\\shared\\maintenance.json"'
    return Explanation(
        "Maintenance is switched on, so every visitor gets 503.",
        f"{e.release['root']}\\shared\\maintenance.json is there, and {e.answer}.",
        f"Switch it off when the work is done: deploys/maintenance.py, or `{remove}`.",
        (remove,),
    )


@RULES.notice("draining")
def draining(e: Evidence) -> Explanation | None:
    if not e.release.get("draining"):
        return None
    remove = f'del "{e.release["root"]}\\shared\\draining"'
    return Explanation(
        "The health path answers 503 so that a load balancer sends nobody here.",
        f"{e.release['root']}\\shared\\draining is there.",
        f"Run the deploy again if none is under way: it ends the draining when the site is healthy; by hand: `{remove}`.",
        (remove,),
    )
