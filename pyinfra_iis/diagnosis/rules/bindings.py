"""Who gets a request: bindings, ports, host names, certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyinfra_iis.diagnosis.evidence import Evidence, Listener
from pyinfra_iis.diagnosis.findings import Explanation, Rules
from pyinfra_iis.diagnosis.rules.words import APPCMD

RULES = Rules()

_SYSTEM = 4
_ANY = ("", "*", "0.0.0.0")


@dataclass(frozen=True)
class Bound:
    """A binding of a site, in its parts; `address` is `*` for any."""

    site: str
    protocol: str
    address: str
    port: int
    host: str
    certificate: str
    store: str
    flags: int

    def __str__(self) -> str:
        return f"{self.protocol}/{self.address}:{self.port}:{self.host}"

    @property
    def information(self) -> str:
        return f"{self.address}:{self.port}:{self.host}"


def bound(site: Mapping[str, Any]) -> Iterator[Bound]:
    """A site's http and https bindings."""
    for item in site.get("bindings", []):
        address, _, rest = item["information"].rpartition(":")[0].rpartition(":")
        host = item["information"].rpartition(":")[2]
        if item["protocol"] in ("http", "https") and rest.isdigit():
            address = "*" if address in _ANY else address
            yield Bound(
                site["name"],
                item["protocol"],
                address,
                int(rest),
                host.lower(),
                item["certificate"],
                item["store"],
                item["flags"],
            )


def neighbours(e: Evidence) -> list[Bound]:
    """The bindings of all other sites that are started."""
    return [
        binding
        for site in e.sites
        if site["name"] != e.site.get("name") and site["state"] == "Started"
        for binding in bound(site)
    ]


def conflicting_site(e: Evidence) -> tuple[Bound, Bound] | None:
    """A binding of a site that is not started, and that of another site which has it."""
    if e.site.get("state") == "Started":
        return None
    for own in bound(e.site):
        for other in neighbours(e):
            same = (own.address, own.port, own.host) == (other.address, other.port, other.host)
            if same or (own.port == other.port and own.protocol != other.protocol):
                return own, other
    return None


def conflicting_program(e: Evidence) -> tuple[Bound, Listener] | None:
    """A binding of a site that is not started, and the program that has its port."""
    if e.site.get("state") == "Started":
        return None
    for own in bound(e.site):
        for listener in e.listeners:
            wanted = ("0.0.0.0", "::", own.address, "127.0.0.1")
            if listener.port == own.port and listener.process != _SYSTEM and listener.address in wanted:
                return own, listener
    return None


@RULES.cause("binding-taken")
def binding_taken(e: Evidence) -> Explanation | None:
    """Another site has it."""
    found = conflicting_site(e)
    if not found:
        return None
    own, other = found
    start = f'{APPCMD} start site "{e.site["name"]}"'
    stop = f'{APPCMD} stop site "{other.site}"'
    return Explanation(
        f"The site '{e.site['name']}' cannot start because the site '{other.site}' has its binding {own}.",
        f"'{e.site['name']}' is {e.site['state']}, and '{other.site}' is started with {other}.",
        f"Give one of them another port or host name, or stop the other with `{stop}`, then `{start}`.",
        (stop, start),
    )


@RULES.cause("port-taken")
def port_taken(e: Evidence) -> Explanation | None:
    """Another program has it."""
    found = conflicting_program(e)
    if not found:
        return None
    own, listener = found
    start = f'{APPCMD} start site "{e.site["name"]}"'
    stop = f"taskkill /F /PID {listener.process}"
    return Explanation(
        f"The site '{e.site['name']}' cannot start because another program has port {own.port}.",
        f"Process {listener.process} ({listener.name}) listens on {listener.address}:{listener.port}.",
        f"Stop that program (`{stop}`) or give the site another port, then `{start}`.",
        (stop, start),
    )


@RULES.cause("binding-address")
def binding_address(e: Evidence) -> Explanation | None:
    addresses = {address.lower() for address in e.server.get("addresses", [])}
    known = addresses | {"127.0.0.1", "::1"}
    foreign = [own for own in bound(e.site) if own.address != "*" and own.address.strip("[]").lower() not in known]
    if not foreign or not addresses:
        return None
    own = foreign[0]
    change = f'{APPCMD} set site "{e.site["name"]}" /bindings:{own.protocol}/*:{own.port}:{own.host}'
    return Explanation(
        f"The binding {own} has an address that this server does not have.",
        f"Its addresses are {', '.join(e.server['addresses'])}.",
        f"Bind the site to all addresses or to one of these: `{change}`.",
        (change,),
    )


@RULES.cause("site-stopped")
def site_stopped(e: Evidence) -> Explanation | None:
    """By hand, or for a reason that has gone."""
    if not e.site or e.site["state"] != "Stopped" or e.services.get("W3SVC") != "Running":
        return None
    if conflicting_site(e) or conflicting_program(e) or binding_address(e):
        return None
    reported = next(iter(e.find_events("IIS-W3SVC", 1004, 1007, about=f"site {e.site['id']}")), None)
    evidence = f"IIS says that its state is Stopped{'' if e.site['auto_start'] else ', and serverAutoStart is off'}"
    if reported:
        evidence += f"; {reported} told that somebody else had its binding"
    start = f'{APPCMD} start site "{e.site["name"]}"'
    return Explanation(f"The site '{e.site['name']}' is stopped.", f"{evidence}.", f"Start it: `{start}`.", (start,))


@RULES.cause("binding-none")
def binding_none(e: Evidence) -> Explanation | None:
    if not e.site or any(True for _ in bound(e.site)):
        return None
    add = f"{APPCMD} set site \"{e.site['name']}\" /+bindings.[protocol='http',bindingInformation='*:80:']"
    return Explanation(
        f"The site '{e.site['name']}' has no http or https binding, so no request reaches it.",
        f"Its bindings are {', '.join(item['protocol'] + '/' + item['information'] for item in e.bindings) or 'none'}.",
        f"Add one, such as `{add}`.",
        (add,),
    )


def _winner(e: Evidence, port: int, name: str) -> Bound | None:
    """Whose request it is: bindings with the host name before wildcards before none, an address before any."""

    def rank(binding: Bound) -> tuple[int, int, int]:
        wildcard = binding.host.startswith("*.")
        return (bool(binding.host) and not wildcard, wildcard, binding.address != "*")

    def fits(binding: Bound) -> bool:
        host = (
            not binding.host
            or binding.host == name
            or (binding.host.startswith("*.") and name.endswith(binding.host[1:]))
        )
        return binding.port == port and host

    every = [binding for site in e.sites if site["state"] == "Started" for binding in bound(site)]
    return max((binding for binding in every if fits(binding)), key=rank, default=None)


@RULES.cause("binding-shadowed")
def binding_shadowed(e: Evidence) -> Explanation | None:
    if e.site.get("state") != "Started":
        return None
    for own in bound(e.site):
        name = e.asked.get("host", "").lower() or own.host.replace("*.", "www.", 1)
        winner = _winner(e, own.port, name)
        if winner and winner.site != e.site["name"] and (not own.host or own.host == name):
            stop = f'{APPCMD} stop site "{winner.site}"'
            return Explanation(
                f"Requests for {name or 'no particular name'} on port {own.port} go to the site '{winner.site}', not to '{e.site['name']}'.",
                f"'{winner.site}' has the binding {winner}, which fits better than {own}.",
                f"Take that binding from '{winner.site}' or stop it (`{stop}`), or give '{e.site['name']}' a binding with this host name or address.",
                (stop,),
            )
    return None


@RULES.cause("host-unknown")
def host_unknown(e: Evidence) -> Explanation | None:
    """HTTP.sys has no binding for the name."""
    if not e.by_kernel or e.status not in (400, 404) or (e.status == 400 and "Hostname" not in e.request["body"]):
        return None
    name = e.request["host"].partition(":")[0] or "this name"
    own = next(iter(bound(e.site)), None)
    if own is None:
        return None
    add = f"{APPCMD} set site \"{e.site['name']}\" /+bindings.[protocol='{own.protocol}',bindingInformation='{own.address}:{own.port}:{name}']"
    return Explanation(
        f"No binding of the site '{e.site['name']}' has the host name '{name}'.",
        f"HTTP.sys itself {e.answer.partition(' ')[2]}; the bindings are {', '.join(map(str, bound(e.site)))}.",
        f"Add a binding with that name: `{add}`.",
        (add,),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _now(e: Evidence) -> datetime:
    return e.began if e.began.year > 1970 else datetime.now(UTC)


def _secure(e: Evidence) -> Iterator[tuple[Bound, Mapping[str, Any] | None]]:
    """https bindings with the certificate of theirs, if it is there; the central store has its own."""
    for own in bound(e.site):
        if own.protocol == "https" and not own.flags & 2:
            wanted = [item for item in e.certificates if item["thumbprint"].upper() == own.certificate.upper()]
            yield own, wanted[0] if wanted else None


def _candidates(e: Evidence, own: Bound) -> str:
    now = _now(e)
    valid = [
        item["subject"]
        for item in e.certificates
        if item["private_key"]
        and _moment(item["from"]) <= now <= _moment(item["until"])
        and (not own.host or _covers(item["name"], own.host))
    ]
    return f"the store has {', '.join(valid)}" if valid else "the store has none that fits"


def _covers(name: str, host: str) -> bool:
    name = name.lower()
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])


@RULES.cause("certificate-none")
def certificate_none(e: Evidence) -> Explanation | None:
    for own, _ in _secure(e):
        if not own.certificate:
            return Explanation(
                f"The binding {own} has no certificate, so every https connection is cut.",
                f"http.sys keeps none for it; {_candidates(e, own)}.",
                "Name one in the deploy's `certificate` setting and deploy again, or choose it in IIS Manager under Bindings.",
            )
    return None


@RULES.cause("certificate-gone")
def certificate_gone(e: Evidence) -> Explanation | None:
    for own, certificate in _secure(e):
        if own.certificate and certificate is None:
            return Explanation(
                f"The certificate of the binding {own} is not in the server's store any more.",
                f"Thumbprint {own.certificate} is not in LocalMachine\\{own.store or 'My'}; {_candidates(e, own)}.",
                "Import it again, or give the binding another one: the deploy's `certificate` setting.",
            )
    return None


@RULES.cause("certificate-expired")
def certificate_expired(e: Evidence) -> Explanation | None:
    for own, certificate in _secure(e):
        if certificate and not _moment(certificate["from"]) <= _now(e) <= _moment(certificate["until"]):
            over = _moment(certificate["until"]) < _now(e)
            return Explanation(
                f"The certificate of the binding {own} {'has expired' if over else 'is not valid yet'}.",
                f"{certificate['subject']} is valid from {certificate['from']} until {certificate['until']}; {_candidates(e, own)}.",
                "Import a new certificate and deploy again: with `certificate.subject` the one that is valid longest is taken.",
            )
    return None


@RULES.cause("certificate-no-key")
def certificate_no_key(e: Evidence) -> Explanation | None:
    for own, certificate in _secure(e):
        if certificate and not certificate["private_key"]:
            return Explanation(
                f"The server has the certificate of the binding {own}, but not its private key.",
                f"{certificate['subject']} in LocalMachine\\{certificate['store']} has no private key; {_candidates(e, own)}.",
                "Import it again from a PFX file, which holds the key.",
            )
    return None


@RULES.notice("certificate-ends-soon")
def certificate_ends_soon(e: Evidence) -> Explanation | None:
    for own, certificate in _secure(e):
        if certificate and timedelta() < _moment(certificate["until"]) - _now(e) < timedelta(days=21):
            return Explanation(
                f"The certificate of the binding {own} ends soon.",
                f"{certificate['subject']} is valid until {certificate['until']}.",
                "Import its successor and deploy again.",
            )
    return None


@RULES.notice("certificate-name")
def certificate_name(e: Evidence) -> Explanation | None:
    for own, certificate in _secure(e):
        names = [certificate["name"], *certificate.get("names", [])] if certificate else []
        if (
            certificate
            and own.host
            and not own.host.startswith("*.")
            and names[0]
            and not any(_covers(name, own.host) for name in names)
        ):
            return Explanation(
                f"The certificate of the binding {own} is for another name, so browsers warn.",
                f"It is for {', '.join(names)}.",
                f"Take a certificate for {own.host}.",
            )
    return None


@RULES.cause("https-redirect-without-https")
def https_redirect_without_https(e: Evidence) -> Explanation | None:
    location = e.request.get("headers", {}).get("Location", "")
    if not location.lower().startswith("https://") or any(own.protocol == "https" for own in bound(e.site)):
        return None
    return Explanation(
        "The application sends every visitor to https, but the site has no https binding.",
        f"{e.answer} with Location {location.partition('?')[0]}, and the bindings are {', '.join(map(str, bound(e.site)))}.",
        "Add an https binding with a certificate, or switch SECURE_SSL_REDIRECT off; behind a proxy that ends TLS, let it send X-Forwarded-Proto.",
    )


@RULES.notice("certificate-untrusted")
def certificate_untrusted(e: Evidence) -> Explanation | None:
    for request in e.requests:
        # Dates and names have causes of their own.
        faults = [
            fault
            for fault in request.get("certificate", ())
            if not fault.startswith(("has expired", "is not valid", "is not for"))
        ]
        if faults:
            return Explanation(
                f"The server itself does not trust the certificate of the binding {request['binding']}, so browsers may warn.",
                f"It {' and '.join(faults)}.",
                "Take a certificate whose issuer visitors trust. If they trust it, the server lacks its issuer's certificates: import the root into "
                "LocalMachine\\Root, and those between into LocalMachine\\CA, from where IIS sends them to visitors.",
            )
    return None
