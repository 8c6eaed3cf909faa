"""Facts about Windows."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Server(ScriptFact):
    """What kind of Windows this is, and who we are on it.

    `name`, `product`, `build`, `kind` (`Server`, `Server Core` or `Client`), `architecture`, `powershell`, `user`, `administrator`, `drives`
    (`C:` -> bytes that are free).
    """

    script = "windows/server"


class Features(ScriptFact):
    """Which features are installed: `kind`, `features` (name -> bool; one that waits for a restart counts) and `states`.

    A state is Windows' own word (`Installed`, `InstallPending`, `Enabled`, `Disabled`, ...), empty for a name that this Windows does not know.
    Arguments: `server` and `client`, the names to ask for on either kind of Windows.
    """

    script = "windows/features"


class Files(ScriptFact):
    """Whether files are there and have the content that is wanted: `exists` and `present` (path -> bool).

    Arguments: `files`, a list of `path` and `sha256`.
    """

    script = "windows/files"


class Directories(ScriptFact):
    """Which folders are there, and their access control lists.

    `folders`: a list of `path`, `exists`, `protected` (inherits nothing), `owner` (SID), `entries` (`sid`, `rights`, `allow`, `inherited`, `inheritance` and
    `propagation` as .NET counts them) and, with `contents`, `files` (how many are below); `identities` (name -> SID, null: none of that name);
    `accounts` (SID -> name).
    Arguments: `folders`, a list of `path` and `identities` (names); `contents`.
    """

    script = "windows/directories"


class FirewallRule(ScriptFact):
    """What a firewall rule does: `running` (whether the firewall's service runs), `exists`, and its properties.

    `enabled`, `title`, `description`, `direction`, `action`, `profiles` (text), `protocol`, `ports`, `remote_ports`, `local_addresses`,
    `remote_addresses` (lists of texts), `program`, `service`.
    Arguments: `name`.
    """

    script = "windows/firewall"


class RegistryValue(ScriptFact):
    """What a registry value holds: `exists`, `type`, `value` (Binary: hexadecimal digits).

    Arguments: `key`, `name`, `hash` (tell only the SHA-256 of its text).
    """

    script = "windows/registry_value"


class EnvironmentVariable(ScriptFact):
    """An environment variable of the machine: `exists`, `value`, not expanded.

    Arguments: `name`, `hash` (tell only the SHA-256).
    """

    script = "windows/environment"


class Service(ScriptFact):
    """A Windows service: `exists`, `start` (`Automatic`, `AutomaticDelayed`, `Manual` or `Disabled`), `state` (`Running`, `Stopped`, ...).

    Arguments: `name`.
    """

    script = "windows/service"


class Texts(ScriptFact):
    """The texts of small files: `texts` (path -> text; null when there is none, or it is too large or no UTF-8).

    Arguments: `files` (paths), `limit` (bytes).
    """

    script = "windows/texts"
