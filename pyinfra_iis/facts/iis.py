"""Facts about IIS and HttpPlatformHandler."""

from __future__ import annotations

from pyinfra.api import HiddenValue, StringCommand

from pyinfra_iis.facts import ScriptFact
from pyinfra_iis.powershell import Script


class Configuration(ScriptFact):
    """What would change in IIS if its configuration were brought to what is wanted; compared on the server, by IIS's own schema.

    Arguments: `sections`, `locations`, `certificates`, `states`, as `pyinfra_iis.operations.iis.edits.Edits.request` gives them.

    Answer: `installed` (whether IIS's management library is there), `changes` (list of `what`, `old`, `new` as IIS writes them; for secrets also `secret` (id),
    `hash` and `salt` of the value that is there), `problems` (sentences about values that IIS refuses), `missing` (sections that this IIS does not have),
    `states` (list of `kind`, `name`, `state`). Source: Microsoft.Web.Administration.
    """

    script = "iis/state"


class CertificateState(ScriptFact):
    """A certificate of LocalMachine\\My: `present`, and if so `key` (it has a private key), `thumbprint`, `description`, `missing` (readers).

    Arguments: `thumbprint` or `subject`; `readers` (accounts that shall read its key; those who may not are missing).
    """

    script = "iis/certificate_state"


class CertificateFile(ScriptFact):
    """What a PFX file on the server holds: `found`, and if so `thumbprint`, `subject`, `expires` (`YYYY-MM-DD`).

    Arguments: `path`, `password` (hidden).
    """

    script = "iis/certificate_file"

    def command(self, path: str, password: HiddenValue) -> StringCommand:  # type: ignore[override]
        """The script with its arguments."""
        return Script(self.script, {"path": path}, secrets={"password": password.unmask()}, safe_to_repeat=True)


class HttpPlatformHandler(ScriptFact):
    """The HttpPlatformHandlers that Windows lists as installed: `products`, a list of `name`, `version`, `code`.

    `missing`: names of the parts that are not there although one is installed.
    """

    script = "httpplatform/state"


class HandlerUsers(ScriptFact):
    """Which sites use HttpPlatformHandler: `users`, a list of `site`, `application` (its path), `known` (false: its web.config cannot be read)."""

    script = "httpplatform/users"


class ParentSite(ScriptFact):
    """A site that somebody else made, for an application below it.

    `installed` (IIS is), `exists`, `state`, `bindings` (`http://*:80:`), `path` (the folder of what is there at the application's path, or empty),
    `pool_users` (who else uses the application's pool), `problem` (why IIS cannot read the site's own configuration, or empty).
    Arguments: `site`, `application` (its path), `pool`.
    """

    script = "iis/below"


class Health(ScriptFact):
    """What a site answers through its own binding: `status` (0 when nothing), `problem`, `certificate` (list of what is wrong with the one that it sends).

    The server's trust in the certificate does not matter for the answer: whether the site works is asked, not whether the server has its issuer.

    Arguments: `site`, `address` (URL), `host` (Host header and name asked for by SNI, or empty), `timeout` (seconds).
    """

    script = "iis/health"
