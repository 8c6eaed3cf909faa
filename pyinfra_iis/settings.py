"""The settings of a deploy: one typed, validated model. Every error is a sentence that names the key and the fix."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from pyinfra_iis.release import names
from pyinfra_iis.rollout.plan import Share, check_share

_APP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_HOST_NAME = re.compile(
    r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*(?<!\.))+")
_APPLICATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?")


ServerName = Literal["uvicorn", "waitress", "hypercorn", "granian", "runserver", "command"]


class SettingsError(Exception):
    """A setting that cannot be used; the text is one sentence for the person who wrote it."""


class _Model(BaseModel):
    # On a command line, --data KEY=1234 is a number, also where a text is wanted.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def _windows_path(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z]:\\[^<>:\"/|?*\x00-\x1f]*", value):
        raise ValueError(f"'{value}' is not an absolute Windows path such as C:\\inetpub\\mysite")
    if value and not value[2:].strip("\\"):
        raise ValueError(f"'{value}' is a whole drive; name a folder on it")
    if fault := names.unfit(value[3:].rstrip("\\").replace("\\", "/")):
        raise ValueError(f"'{value}' {fault}")
    return value.rstrip("\\")


WindowsPath = Annotated[str, AfterValidator(_windows_path)]


def _check_ip(text: str, of: str = "") -> None:
    try:
        _ = text == "*" or ip_address(text.strip("[]"))
    except ValueError:
        raise ValueError(f"'{text}'{of} is no IP address; * stands for all") from None


class Binding(_Model):
    """One binding of the site.

    Attributes:
        protocol: `http` or `https`.
        ip: an IP address of the server, or `*` for all.
        port: 1 to 65535.
        host: the host name that requests must carry; empty accepts any.
    """

    protocol: Literal["http", "https"] = "http"
    ip: str = "*"
    port: int = Field(default=80, ge=1, le=65535)
    host: str = ""

    @classmethod
    def parse(cls, text: str) -> Binding:
        """Read `[http://|https://]ip:port:host`, IIS's own form of a binding (`*:80:`, `10.0.0.5:80:www.example.com`).

        Raises:
            ValueError: the text is of another form.
        """
        protocol, separator, rest = text.partition("://")
        if not separator:
            protocol, rest = "http", text
        match = re.fullmatch(r"(?P<ip>\*|[0-9.]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5}):(?P<host>[^:/\s]*)", rest)
        if match is None or protocol not in ("http", "https"):
            raise ValueError(f"'{text}' is not a binding; write ip:port:host as IIS does, for example '*:80:'")
        port = int(match["port"])
        if not 1 <= port <= 65535:
            raise ValueError(f"port {port} of '{text}' is not between 1 and 65535")
        _check_ip(match["ip"], f" of '{text}'")
        if match["host"] and not _HOST_NAME.fullmatch(match["host"]):
            raise ValueError(f"'{match['host']}' in '{text}' is not a host name")
        return cls(protocol=protocol, ip=match["ip"], port=port, host=match["host"])

    @field_validator("ip")
    @classmethod
    def _ip_is_one(cls, value: str) -> str:
        _check_ip(value)
        return value

    @property
    def information(self) -> str:
        """The binding as IIS writes it: `ip:port:host`."""
        return f"{self.ip}:{self.port}:{self.host}"

    def __str__(self) -> str:
        return self.information if self.protocol == "http" else f"{self.protocol}://{self.information}"


def _binding(value: Any) -> Any:
    return Binding.parse(value) if isinstance(value, str) else value


def _sha256(value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip().lower()
        if not _SHA256.fullmatch(value):
            raise ValueError("a SHA-256 is 64 hexadecimal digits")
    return value


class Certificate(_Model):
    """Which certificate of the server's store LocalMachine\\My an https binding gets.

    Attributes:
        thumbprint: 40 hexadecimal digits.
        subject: a host name; the certificate for it that is valid longest.
        pfx: a PFX file of the controlling machine, which is imported first.
        password: of the PFX file; from the environment of the controlling machine, for example: `os.environ[...]`.
    """

    thumbprint: str = ""
    subject: str = ""
    pfx: str = ""
    password: SecretStr = SecretStr("")

    @field_validator("thumbprint")
    @classmethod
    def _plain(cls, value: str) -> str:
        # Windows' certificate dialog copies an invisible mark and spaces along.
        plain = re.sub(r"[\s\u200e\u200f:]", "", value).upper()
        if plain and not re.fullmatch(r"[0-9A-F]{40}", plain):
            raise ValueError("a thumbprint is 40 hexadecimal digits")
        return plain

    @model_validator(mode="after")
    def _one(self) -> Certificate:
        if sum(map(bool, (self.thumbprint, self.subject, self.pfx))) != 1:
            raise ValueError("say either thumbprint, subject or pfx")
        return self


class Download(_Model):
    """A file that a server needs and where it comes from.

    Attributes:
        url: an http(s) address that the *server* can reach, or a path on the controlling machine.
        sha256: the file's SHA-256, 64 hexadecimal digits; the file is used only when it fits.
    """

    url: str
    sha256: Annotated[str, BeforeValidator(_sha256)]

    @field_validator("url")
    @classmethod
    def _can_be_fetched(cls, value: str) -> str:
        scheme, separator, _ = value.partition("://")
        if not value.strip() or (separator and scheme.lower() not in ("http", "https")):
            raise ValueError(f"'{value}' is neither an http(s) address nor a path on this machine")
        return value

    @property
    def name(self) -> str:
        """The file's name, the last part of the address."""
        return PureWindowsPath(urlsplit(self.url).path if self.is_remote else self.url).name or "download"

    @property
    def is_remote(self) -> bool:
        """Whether the server fetches it by itself."""
        return self.url.lower().startswith(("http://", "https://"))


_PYTHON_VERSION = "3.14.6"
_OLDEST_MINOR = 9
"""What runs on the server is written for Python 3.9 and later."""
_HANDLERS = {
    "1.2": (
        "https://download.microsoft.com/download/8/1/3/813AC4E6-9203-4F7A-8DD5-F3D54D10C5CD/httpPlatformHandler_amd64.msi",
        "90f8d4905a0ab4f2c95223b3c79e2807a0b74507747d240e43c4302e8db4b5ef",
    ),
    "2.0": (
        "https://github.com/lextudio/httpbridge/releases/download/httpbridge_v10.0.0-rc.1/httpbridge_x64_en_10.0.0-dev.msi",
        "35e06dc2eebbda4c6756787fa6650b56504684907242ed760b855d1d0248709f",
    ),
}


class Python(Download):
    """The Python that the server gets.

    The default is the distribution of python.org; its SHA-256 was taken from one public source and never checked by us.

    Attributes:
        version: `3.14.6`; it is checked on the server.
        kind: `zip`, the full distribution (not the embeddable one); `nuget`, the gallery's package `python`;
            `installer`, python.org's exe (for all users; not from Python 3.16 on); `existing`, what stands in `path`.
        path: for `existing`: its folder on the server.
    """

    version: str = _PYTHON_VERSION
    kind: Literal["zip", "nuget", "installer", "existing"] = "zip"
    path: WindowsPath = ""
    url: str = f"https://www.python.org/ftp/python/{_PYTHON_VERSION}/python-{_PYTHON_VERSION}-amd64.zip"
    sha256: Annotated[str, BeforeValidator(_sha256)] = (
        "75afa83f93b284d19040e24bc440ab741c09582c0d5310504d607a4e08c3dbaf"
    )

    @field_validator("version")
    @classmethod
    def _version_is_whole(cls, value: str) -> str:
        if not re.fullmatch(r"3\.[0-9]{1,2}\.[0-9]{1,2}", value):
            raise ValueError(f"'{value}' is no whole version of Python 3, such as {_PYTHON_VERSION}")
        if int(value.split(".")[1]) < _OLDEST_MINOR:
            raise ValueError(f"Python {value} is too old; 3.{_OLDEST_MINOR} is the first that works")
        return value

    @model_validator(mode="after")
    def _installer_exists(self) -> Self:
        if self.kind == "installer" and int(self.version.split(".")[1]) >= 16:
            raise ValueError(f"there is no installer of Python {self.version} any more; take the kind 'zip' or 'nuget'")
        return self

    @model_validator(mode="before")
    @classmethod
    def _others_need_a_source(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        if data.get("kind") == "existing":
            if not data.get("path") or not data.get("version"):
                raise ValueError("an existing Python needs path and version")
        elif "path" in data:
            raise ValueError("path goes with the kind 'existing'")
        elif data.get("version", _PYTHON_VERSION) != _PYTHON_VERSION or data.get("kind", "zip") != "zip":
            if missing := [key for key in ("url", "sha256") if key not in data]:
                raise ValueError(f"another Python than the default needs {' and '.join(missing)} too")
        return data


class Handler(Download):
    """The HttpPlatformHandler that the server gets, as an msi: Microsoft's 1.2, or its successor 2.0 by LeXtudio.

    The defaults' SHA-256 were taken from one public source each and never checked by us.

    Attributes:
        version: `1.2` or `2.0`.
        replace: take another version off the server first; every site of the server uses the one that is installed.
    """

    version: Literal["1.2", "2.0"] = "1.2"
    replace: bool = False
    url: str = Field(default="", validate_default=False)
    sha256: Annotated[str, BeforeValidator(_sha256)] = _HANDLERS["1.2"][1]

    @model_validator(mode="before")
    @classmethod
    def _default_source(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            url, sha256 = _HANDLERS.get(str(data.get("version", "1.2")), _HANDLERS["1.2"])
            if "url" in data and "sha256" not in data:
                raise ValueError("another url needs its sha256 too")
            return {"url": url, "sha256": sha256, **data}
        return data


class Health(_Model):
    """How the deploy asks whether the site works.

    Attributes:
        path: the path to request, starting with `/`.
        status: the status code that means healthy; None accepts every one below 500 except 400 (Django's answer to a host that is not allowed).
        timeout: seconds until a site that does not answer so is given up, 1 to 3600.
    """

    path: str = Field(default="/", pattern=r"^/[^\s]*$")
    status: int | None = Field(default=None, ge=100, le=599)
    timeout: int = Field(default=120, ge=1, le=3600)


class Rollout(_Model):
    """How a release goes live over a fleet; see docs/rollout.md. A share is a number of hosts (`5`) or a part of the fleet (`"25%"`).

    Attributes:
        canary: how many hosts go live first, or which by name; when one of them fails the rollout stops.
        waves: the sizes of the waves after that, shares of at least one host; the last is repeated; none: all other hosts in one wave.
        pause: seconds to wait between waves; then those that are live are asked once more.
        budget: how many hosts may fail in their turn before the rollout stops, a share.
        on_failure: what becomes of hosts that run the new release when it stops: `back` to the one before, or `keep`.
        drain: seconds that the health path answers 503 before a host is switched, for a load balancer to notice; 0 for none.
        before: runs on the controlling machine before a host is switched: a command (a text for the shell, or a list), or a Python function that gets a
            `pyinfra_iis.rollout.hooks.Event`. When it fails, the host is not switched.
        after: the same, after the host was switched and is healthy.
        hook_timeout: seconds until a hook is given up, 1 to 3600.
        record: the folder on the controlling machine that gets one with rollout.json and rollout.html for each rollout; empty for none.
    """

    canary: int | tuple[str, ...] = 0
    waves: tuple[Share, ...] = ()
    pause: float = Field(default=0, ge=0, le=86400)
    budget: Share = 0
    on_failure: Literal["back", "keep"] = "back"
    drain: float = Field(default=0, ge=0, le=3600)
    before: str | tuple[str, ...] | Callable[..., Any] | None = None
    after: str | tuple[str, ...] | Callable[..., Any] | None = None
    hook_timeout: int = Field(default=300, ge=1, le=3600)
    record: str = "rollouts"

    @field_validator("canary", mode="before")
    @classmethod
    def _one_canary_is_a_list(cls, value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, int) and value < 0):
            raise ValueError(f"{value} is no number of hosts; give one, or names of hosts")
        if isinstance(value, str):
            return int(value) if value.isdecimal() else (value,)
        return value

    @field_validator("waves", mode="before")
    @classmethod
    def _waves_are_shares(cls, value: Any) -> Any:
        given = value if isinstance(value, list | tuple) else [value]
        return tuple(check_share(share) for share in given)

    @field_validator("budget", mode="before")
    @classmethod
    def _budget_is_a_share(cls, value: Any) -> Any:
        return check_share(value, least=0)

    @field_validator("before", "after")
    @classmethod
    def _hook_says_something(cls, value: Any) -> Any:
        if value is not None and not callable(value) and not (value.strip() if isinstance(value, str) else value):
            raise ValueError("is empty; give a command or a Python function, or leave it out")
        return value


class WebSettings(_Model):
    """What to deploy, and how: any Python web application. Only `project` and `application` have no default.

    Attributes:
        project: the application's folder on the controlling machine; relative to the folder where pyinfra runs.
        ref: a branch, tag or commit of the project's git repository: the release is made from that commit as `git archive` gives it, not from the files in the
            folder; default the files as they are.
        app: the application's name on the server: site, pool and folder are called so; default the project folder's name, or, for a folder `src`, that of
            the folder above.
        site: the name of a site that somebody else made (`Default Web Site`), for an application below it; goes with `path`. Of that site nothing changes.
        path: the path of the application below that site (`/shop`).
        application: what the server runs, `module:object` (`main:app`), or `module:function()` for a function that makes it.
        interface: `asgi` or `wsgi`; default what the server speaks, and ASGI where it speaks both and the module is not called wsgi.
        server: `uvicorn`, `waitress`, `hypercorn`, `granian`, or `command`.
        command: for `command`: the arguments of python.exe; `%HTTP_PLATFORM_PORT%` in them becomes the port to listen on.
        bindings: the site's bindings as IIS writes them, `ip:port:host` each, `https://` before it for TLS; others are taken away. Below a site: those of its
            bindings by which visitors come.
        certificate: the certificate of https bindings, `{"thumbprint": ...}`, `{"subject": "www.example.com"}` or `{"pfx": "www.pfx", "password": ...}`.
        requirements: files of the project, or above it (`../requirements.txt`), that say which packages it needs, one or a list, relative to it:
            requirements files and locks as pip takes them, with hashes or without, `pyproject.toml` (its `[project] dependencies`), `uv.lock` (read with
            `pip install pyinfra-iis[offline]`), `pylock.toml`; default requirements.txt, uv.lock, pylock.toml or pyproject.toml, the first that is there.
        constraints: files that limit versions, one or a list, as `pip install -c` takes them.
        extras: extras of pyproject.toml or uv.lock to install too, one or a list.
        dependency_groups: the same for dependency groups.
        python: the server's Python.
        handler: the server's HttpPlatformHandler.
        root: the application's folder on the server; default `C:\\inetpub\\<app>`.
        python_root: the folder on the server that holds Python versions.
        environment: further environment variables of the site's process, kept in the app pool, which only administrators can read, and never shown.
        handlers: `unlock`: the section `system.webServer/handlers` is unlocked on the server, and the release's web.config maps all requests to its process;
            `location`: it stays locked, and the mapping stands in applicationHost.config, for this site only.
        preload: start the application's process when IIS starts, not with the first request.
        max_content_length: bytes that a request's body may have before IIS refuses it (404.13); default as it is, which is 30,000,000 unless somebody
            changed it.
        hsts: seconds for which browsers remember that the site is only to be reached by https; IIS then sends Strict-Transport-Security, and Django does
            not; 0 leaves that to the application.
        firewall: let visitors of the bindings' ports through Windows Firewall, with one rule `pyinfra-iis-<app>`.
        features_source: a folder with Windows' own files that the server can read (`D:\\sources\\sxs`), for servers without Windows Update that lack
            IIS's files.
        reboot: restart a server when Windows needs that to finish installing IIS, and wait until it is back; otherwise that is only reported.
        long_paths: let programs use paths longer than 259 characters (`LongPathsEnabled`, for the whole server); without it a project with such paths is
            refused.
        keep: how many releases stay on a server, at least 1; the live one and the good one before it stay anyway.
        retry: make a release live that did not work on the server before, for a run in which the cause is mended and the project is the same
            (`--data django_retry=true`).
        packages: `server`: each server asks its own index; `offline`: wheels for Windows and the server's Python are collected on the controlling machine and
            sent (`pip install pyinfra-iis[offline]`); a package without one is named before the server is touched.
        pip_options: further options of `pip install` on the server, or of collecting wheels here (`["--index-url", "https://mirror.example/simple"]`).
        health: how the deploy asks whether the site works.
        rollout: how the release goes live over a fleet; default on all hosts at once.
    """

    prefix: ClassVar[str] = "web_"
    """Host data keys start so: `web_project`, `web_bindings`, ..."""

    project: Path
    ref: str = ""
    app: str = ""
    site: str = ""
    path: str = ""
    application: str = ""
    interface: Literal["", "asgi", "wsgi"] = ""
    server: ServerName = "uvicorn"
    command: tuple[str, ...] = ()
    bindings: Annotated[tuple[Annotated[Binding, BeforeValidator(_binding)], ...], Field(min_length=1)] = (Binding(),)
    certificate: Certificate | None = None
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    dependency_groups: tuple[str, ...] = ()
    python: Python = Python()
    handler: Handler = Handler.model_validate({})
    root: WindowsPath = ""
    python_root: WindowsPath = r"C:\Python"
    environment: dict[str, str] = {}
    packages: Literal["server", "offline"] = "server"
    pip_options: tuple[str, ...] = ()
    handlers: Literal["unlock", "location"] = "unlock"
    preload: bool = False
    max_content_length: int | None = Field(default=None, ge=0, le=4_294_967_295)
    hsts: int = Field(default=0, ge=0, le=4_294_967_295)
    firewall: bool = True
    features_source: str = ""
    reboot: bool = False
    long_paths: bool = False
    keep: int = Field(default=5, ge=1)
    health: Health = Health()
    # No part of the release: excluded from what names it.
    retry: bool = Field(default=False, exclude=True)
    rollout: Rollout | None = Field(default=None, exclude=True)

    @field_validator("bindings", "pip_options", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        # A number, such as a port alone, is as little a binding as a text that names none.
        return [str(value)] if isinstance(value, str | int) else value

    @field_validator("requirements", "constraints", "extras", "dependency_groups", mode="before")
    @classmethod
    def _one_or_none_is_a_list(cls, value: Any) -> Any:
        return ([value] if value else []) if isinstance(value, str) else value

    @field_validator("project")
    @classmethod
    def _project_is_a_folder(cls, value: Path) -> Path:
        path = Path(os.path.abspath(value.expanduser()))
        if not path.is_dir():
            raise ValueError(f"the project folder {path} does not exist")
        return path

    @field_validator("ref")
    @classmethod
    def _ref_is_no_option(cls, value: str) -> str:
        if value.startswith("-") or value != value.strip() or not value.isprintable():
            raise ValueError(f"'{value}' cannot be a branch, tag or commit")
        return value

    @field_validator("path")
    @classmethod
    def _path_names_an_application(cls, value: str) -> str:
        if value and not _PATH.fullmatch(value):
            raise ValueError(
                f"'{value}' is no path of an application, such as /shop: letters, digits, '-', '_', '.' and '~'"
            )
        return value

    @field_validator("application")
    @classmethod
    def _application_is_named(cls, value: str) -> str:
        if value and not _APPLICATION.fullmatch(value):
            raise ValueError(f"'{value}' is not of the form module:object, such as main:app")
        return value

    @field_validator("environment", mode="before")
    @classmethod
    def _environment_is_a_table(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError('is not of the form {"NAME": "value"}')
        return value

    @field_validator("environment")
    @classmethod
    def _environment_names(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not name or "=" in name or "\x00" in name:
                raise ValueError(f"'{name}' cannot be the name of an environment variable")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.app:
            object.__setattr__(self, "app", _app_name(self.project))
        if not _APP_NAME.fullmatch(self.app) or self.app.endswith("."):
            raise ValueError(
                f"app: '{self.app}' cannot name a site and a folder; use letters, digits, '-', '_' and '.', at most 63"
            )
        if fault := names.unfit(self.app):
            raise ValueError(f"app: a folder of this name {fault}; set another")
        if not self.root:
            object.__setattr__(self, "root", rf"C:\inetpub\{self.app}")
        if len({(binding.protocol, binding.information.lower()) for binding in self.bindings}) < len(self.bindings):
            raise ValueError("bindings: the same binding stands there twice")
        if (self.server == "command") is not bool(self.command):
            raise ValueError("command: goes with the server 'command', which needs it")
        if bool(self.site) is not bool(self.path):
            given, other = ("site", "path") if self.site else ("path", "site")
            raise ValueError(f"{given}: goes with {other}; an application below a site needs both")
        if self.path and (self.certificate or self.hsts):
            name = "certificate" if self.certificate else "hsts"
            raise ValueError(
                f"{name}: is a matter of the site '{self.site}', of which this deploy changes nothing; leave it out"
            )
        if self.has_https and self.certificate is None and not self.path:
            raise ValueError("certificate: an https binding needs one; give its thumbprint, subject or PFX file")
        if self.hsts and not self.has_https:
            raise ValueError("hsts: only means something with an https binding")
        self._check_application()
        return self

    def _check_application(self) -> None:
        if self.server == "runserver":
            raise ValueError("server: runserver is Django's development server; take another")
        if not self.application and self.server != "command":
            raise ValueError("application: is not set; name what the server runs as module:object, such as main:app")

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What `model_dump_json` does not tell."""
        return ()

    @property
    def site_name(self) -> str:
        """The name of the site in IIS."""
        return self.site or self.app

    @property
    def site_path(self) -> str:
        """The path of the application in that site."""
        return self.path or "/"

    @property
    def title(self) -> str:
        """The site and what is below it, as IIS names places (`Default Web Site/shop`)."""
        return self.site_name + self.path

    @property
    def has_https(self) -> bool:
        """Whether visitors can reach the site over TLS."""
        return any(binding.protocol == "https" for binding in self.bindings)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that the site answers to; `*` stands for every one, `.example.com` for all below it too."""
        names = [binding.host for binding in self.bindings]
        if not all(names):
            return ("*",)
        return tuple(dict.fromkeys(name.replace("*.", ".", 1) if name.startswith("*.") else name for name in names))

    @property
    def python_directory(self) -> str:
        """Where this version of Python lives on the server; the hash keeps two builds of one version apart."""
        if self.python.kind == "existing":
            return self.python.path
        return rf"{self.python_root}\{self.python.version}-{self.python.sha256[:8]}"


class DjangoSettings(WebSettings):
    """What to deploy, and how: a Django project. Only `project` has no default; attributes besides those of `WebSettings`:

    Attributes:
        project: the folder on the controlling machine that holds manage.py.
        settings_module: the project's own settings module (`mysite.settings`); default what manage.py names.
        application: default found from the settings module's package.
        server: also `runserver`, for development (DEBUG on).
        requirements: default requirements.txt, uv.lock, pylock.toml or pyproject.toml, the first that is there, else Django of the version that made the
            project.
        allowed_hosts: Django's ALLOWED_HOSTS; default the bindings' host names; when a binding names none, the project's own list; without one, every host.
        secret_key: Django's SECRET_KEY; default made on each server once, by its own random generator, and kept there; servers that share sessions need the
            same, given from the environment of the controlling machine: `os.environ[...]`.
        secure_cookies: false lets cookies go over plain HTTP; only for a site without an https binding.
        migrate: run Django's migrations before a new release goes live, on one host of the fleet.
        check_level: from which level on an issue that `check --deploy` finds stops the release; issues below are only reported. A level that no check uses
            (`CRITICAL`) reports all.
    """

    prefix: ClassVar[str] = "django_"

    settings_module: str = ""
    allowed_hosts: tuple[str, ...] | None = None
    secret_key: SecretStr | None = None
    secure_cookies: bool = True
    migrate: bool = False
    check_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "ERROR"

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _one_host_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    def _check_application(self) -> None:
        # A commit may have one that the folder has not.
        if not self.ref and not (self.project / "manage.py").is_file():
            raise ValueError(
                f"project: the project folder {self.project} holds no manage.py; name the folder that does{_manage_below(self.project)}"
            )
        if not self.secure_cookies and self.has_https:
            raise ValueError("secure_cookies: cannot be off while the site has an https binding")

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What `model_dump_json` does not tell."""
        return (self.secret_key.get_secret_value(),) if self.secret_key else ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """Django's ALLOWED_HOSTS."""
        return super().hosts if self.allowed_hosts is None else self.allowed_hosts


AnySettings = TypeVar("AnySettings", bound=WebSettings)


def _app_name(folder: Path) -> str:
    # Many projects have a folder src, and two of them shall not become one site.
    name = folder.parent.name if folder.name == "src" else folder.name
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "site"


def _manage_below(folder: Path) -> str:
    """Where manage.py is instead, as the end of a sentence."""
    found = sorted(path.parent for depth in ("*", "*/*") for path in folder.glob(f"{depth}/manage.py"))
    return f": {found[0]}" if len(found) == 1 else ""


def from_data(data: Mapping[str, Any], model: type[AnySettings]) -> AnySettings:
    """Read settings from host data, where each key has the model's prefix.

    Args:
        data: host data, such as pyinfra's `host.data.dict()`; keys without the prefix are not looked at.
        model: `DjangoSettings` or `WebSettings`.

    Raises:
        SettingsError: a key that does not exist, or a value that cannot be used.
    """
    prefix = model.prefix
    return build(
        {key.removeprefix(prefix): value for key, value in data.items() if key.startswith(prefix)}, model, prefix
    )


def build(values: Mapping[str, Any], model: type[AnySettings], prefix: str = "") -> AnySettings:
    """Validate settings given by name.

    Args:
        values: the attributes of the model.
        model: `DjangoSettings` or `WebSettings`.
        prefix: how the user knows the keys, for messages.

    Raises:
        SettingsError: a key that does not exist, or a value that cannot be used.
    """
    try:
        return model(**values)
    except ValidationError as error:
        raise SettingsError(_sentence(error, model, prefix)) from None


_KINDS = {
    "int_type": "is no whole number",
    "int_parsing": "is no whole number",
    "int_from_float": "is no whole number",
    "float_type": "is no number",
    "float_parsing": "is no number",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "tuple_type": "is no list",
    "string_type": "is no text; put it into quotes",
}
"""What is wrong with a value of another kind than the wanted one."""


def _sentence(error: ValidationError, model: type[WebSettings], prefix: str) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "missing":
            hint = ": the folder that holds manage.py" if model is DjangoSettings else ": the application's folder"
            return f"{prefix}{key} is not set{hint if key == 'project' else ''}."
        case "extra_forbidden":
            above, dot, last = key.rpartition(".")
            near = difflib.get_close_matches(last, _fields(model, above), n=1)
            meant = f"; is {prefix}{above}{dot}{near[0]} meant?" if near else "."
            return f"{prefix}{key} is no setting of this deploy{meant}"
        case "model_type" | "model_attributes_type" if _fields(model, key):
            form = ", ".join(f'"{name}": ...' for name in _fields(model, key))
            return f"{prefix}{key} is not of the form {{{form}}}."
    if kind := _KINDS.get(first["type"]):
        return f"{prefix}{key}: {_shown(first['type'], first['input'])} {kind}."
    text = first["msg"].removeprefix("Value error, ")
    if not key:
        return f"{prefix}{text}."
    return f"{prefix}{key}: {text[:1].lower() + text[1:] if first['type'] != 'value_error' else text}."


def _shown(problem: str, value: Any) -> str:
    """A wrong value for the reader, unless it may hold a secret."""
    if problem in ("string_type", "tuple_type") and not isinstance(value, bool | int | float | None):
        return f"a {type(value).__name__}"
    return repr(value)


def _fields(model: type[BaseModel], key: str) -> list[str]:
    """The names that a setting can have; none where it is no model."""
    for name in filter(None, key.split(".")):
        if name not in model.model_fields:
            return []
        kinds = _kinds(model.model_fields[name].annotation)
        found = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if found is None:
            return []
        model = found
    return list(model.model_fields)


def _kinds(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)
