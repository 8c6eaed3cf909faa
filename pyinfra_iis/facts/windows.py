"""Facts about Windows."""

from __future__ import annotations

from pyinfra_iis.facts import ScriptFact


class Server(ScriptFact):
    """What kind of Windows this is, and who we are on it.

    `name`, `product`, `build`, `kind` (`Server`, `Server Core` or `Client`), `architecture`, `powershell`, `user`, `administrator`.
    """

    script = "windows/server"


class Features(ScriptFact):
    """Which features are installed: `kind`, and `features` (name -> bool).

    Arguments: `server` and `client`, the names to ask for on either kind of Windows.
    """

    script = "windows/features"


class Files(ScriptFact):
    """Whether files have the content that is wanted: `present` (path -> bool).

    Arguments: `files`, a list of `path` and `sha256`.
    """

    script = "windows/files"


class Directories(ScriptFact):
    """Which folders are there and which identities lack access: `folders`, a list of `path`, `exists`, `missing` (identities).

    Arguments: `folders`, a list of `path` and `grants` (a list of `identity` and `rights`, names of .NET's FileSystemRights).
    """

    script = "windows/directories"


class FirewallRule(ScriptFact):
    """What an inbound firewall rule does: `exists`, `enabled`, `allows` (TCP, inbound, allow), `ports` (texts).

    Arguments: `name`.
    """

    script = "windows/firewall"


class Texts(ScriptFact):
    """The texts of small files: `texts` (path -> text; null when there is none, or it is too large or no UTF-8).

    Arguments: `files` (paths), `limit` (bytes).
    """

    script = "windows/texts"
