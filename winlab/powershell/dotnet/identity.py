"""System.Guid, System.Version and System.Uri."""

from __future__ import annotations

import re
import uuid
from typing import Any
from urllib.parse import quote, unquote

from winlab.powershell.errors import NetException
from winlab.powershell.objects import NetObject

from .core import ctor, method, net_type, prop, static, static_prop
from .declare import argument, format_exception, need, out_of_range, overloads
from .values import net_hash

_GUID = re.compile(
    r"(?:\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}|\([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\)"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})",
    re.IGNORECASE,
)
_GUID_FORMATS = {
    "N": r"[0-9a-f]{32}",
    "D": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "B": r"\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}",
    "P": r"\([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\)",
}


@net_type("System.Guid", interfaces=("IComparable", "IFormattable"))
class Guid(NetObject):
    def __init__(self, value: uuid.UUID | str | None = None) -> None:
        self.value = value if isinstance(value, uuid.UUID) else uuid.UUID(value) if value else uuid.UUID(int=0)

    def __str__(self) -> str:
        return str(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Guid) and other.value == self.value

    def __lt__(self, other: Guid) -> bool:
        return self.value < other.value

    def __gt__(self, other: Guid) -> bool:
        return self.value > other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def format_net(self, fmt: str | None, provider: Any) -> str:
        letter = (fmt or "D").upper()
        text = str(self.value)
        if letter == "D":
            return text
        if letter == "N":
            return self.value.hex
        if letter == "B":
            return "{" + text + "}"
        if letter == "P":
            return f"({text})"
        if letter == "X":
            a, b, c = self.value.fields[:3]
            rest = ",".join(f"0x{item:02x}" for item in self.value.bytes[8:])
            return f"{{0x{a:08x},0x{b:04x},0x{c:04x},{{{rest}}}}}"
        raise format_exception('Format String can be only "D", "d", "N", "n", "P", "p", "B", "b", "X" or "x".')

    @staticmethod
    def default() -> Guid:
        return Guid()

    @ctor("(Byte[])")
    def new_bytes(self, data: Any) -> None:
        if len(need(data, "b")) != 16:
            raise argument("Byte array for GUID must be exactly 16 bytes long.")
        self.value = uuid.UUID(bytes_le=bytes(data))

    @ctor("(String)")
    def new_text(self, text: str) -> None:
        self.value = parse_guid(text).value

    @ctor("(Int32,Int16,Int16,Byte[])")
    def new_parts(self, a: int, b: int, c: int, rest: Any) -> None:
        self.value = uuid.UUID(
            bytes=(a & 0xFFFFFFFF).to_bytes(4, "big")
            + (b & 0xFFFF).to_bytes(2, "big")
            + (c & 0xFFFF).to_bytes(2, "big")
            + bytes(rest)
        )

    @ctor("(Int32,Int16,Int16,Byte,Byte,Byte,Byte,Byte,Byte,Byte,Byte)")
    @ctor("(UInt32,UInt16,UInt16,Byte,Byte,Byte,Byte,Byte,Byte,Byte,Byte)")
    def new_numbers(self, a: int, b: int, c: int, *rest: int) -> None:
        self.new_parts(a, b, c, bytes(rest))

    @static_prop("Empty : Guid")
    def empty() -> Guid:
        return Guid()

    @static("NewGuid() : Guid")
    def new_guid() -> Guid:
        return Guid(uuid.uuid4())

    @static("Parse(String) : Guid")
    def parse(text: str) -> Guid:
        return parse_guid(text)

    @static("ParseExact(String,String) : Guid")
    def parse_exact(text: str, fmt: str) -> Guid:
        if not re.fullmatch(
            _GUID_FORMATS.get(need(fmt, "format").upper(), "(?!)"), need(text, "input").strip(), re.IGNORECASE
        ):
            raise format_exception(
                "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
            )
        return parse_guid(text)

    @static("TryParse(String,Guid&) : Boolean")
    def try_parse(text: str | None, result: Any) -> bool:
        try:
            result.value = parse_guid(text or "")
            return True
        except NetException:
            result.value = Guid()
            return False

    @static("TryParseExact(String,String,Guid&) : Boolean")
    def try_parse_exact(text: str | None, fmt: str, result: Any) -> bool:
        try:
            result.value = Guid.parse_exact(text or "", fmt)
            return True
        except NetException:
            result.value = Guid()
            return False

    @overloads("System.Guid", "CompareTo")
    def compare_to(self, other: Any) -> int:
        if other is None:
            return 1
        if not isinstance(other, Guid):
            raise argument("Object must be of type GUID.")
        return int(self.value > other.value) - int(self.value < other.value)

    @overloads("System.Guid", "Equals")
    def equals(self, other: Any) -> bool:
        return self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(hash(self.value))

    @method("ToByteArray() : Byte[]")
    def to_byte_array(self) -> bytes:
        return self.value.bytes_le

    @overloads("System.Guid", "ToString")
    def to_string(self, fmt: str | None = None, provider: Any = None) -> str:
        return self.format_net(fmt, provider)


def parse_guid(text: str) -> Guid:
    body = need(text, "g").strip()
    if not _GUID.fullmatch(body):
        if re.fullmatch(r"[0-9a-f{}()\-]*", body, re.IGNORECASE) and body.count("-") in (0, 4):
            raise format_exception(
                "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
            )
        if not body:
            raise format_exception("Unrecognized Guid format.")
        raise format_exception("Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).")
    return Guid(uuid.UUID(body.strip("{}()")))


# ------------------------------------------------------------------------------------------------------------ Version


@net_type("System.Version", interfaces=("ICloneable", "IComparable"))
class Version(NetObject):
    def __init__(self, *parts: int) -> None:
        self.parts = tuple(parts)

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))

    @property
    def key(self) -> tuple[int, ...]:
        return (*self.parts, *([-1] * (4 - len(self.parts))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and other.key == self.key

    def __lt__(self, other: Version) -> bool:
        return self.key < other.key

    def __gt__(self, other: Version) -> bool:
        return self.key > other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @ctor("()")
    def new(self) -> None:
        self.parts = (0, 0)

    @ctor("(Int32,Int32)")
    @ctor("(Int32,Int32,Int32)")
    @ctor("(Int32,Int32,Int32,Int32)")
    def new_numbers(self, *parts: int) -> None:
        for name, part in zip(("major", "minor", "build", "revision"), parts, strict=False):
            if part < 0:
                raise out_of_range(name, "Version's parameters must be greater than or equal to zero.")
        self.parts = parts

    @ctor("(String)")
    def new_text(self, text: str) -> None:
        self.parts = parse_version(text).parts

    @prop("Major : Int32 get")
    def major(self) -> int:
        return self.key[0]

    @prop("Minor : Int32 get")
    def minor(self) -> int:
        return self.key[1]

    @prop("Build : Int32 get")
    def build(self) -> int:
        return self.key[2]

    @prop("Revision : Int32 get")
    def revision(self) -> int:
        return self.key[3]

    @prop("MajorRevision : Int16 get")
    def major_revision(self) -> int:
        return self.key[3] >> 16

    @prop("MinorRevision : Int16 get")
    def minor_revision(self) -> int:
        low = self.key[3] & 0xFFFF
        return low - 0x10000 if low & 0x8000 else low

    @method("Clone() : Object")
    def clone(self) -> Version:
        return Version(*self.parts)

    @overloads("System.Version", "CompareTo")
    def compare_to(self, other: Any) -> int:
        if other is None:
            return 1
        if not isinstance(other, Version):
            raise argument("Object must be of type Version.")
        return int(self.key > other.key) - int(self.key < other.key)

    @overloads("System.Version", "Equals")
    def equals(self, other: Any) -> bool:
        return self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        key = self.key
        return (key[0] & 0xF) << 28 | (key[1] & 0xFF) << 20 | (key[2] & 0xFF) << 12 | (key[3] & 0xFFF)

    @static("Parse(String) : Version")
    def parse(text: str) -> Version:
        return parse_version(text, "input")

    @static("TryParse(String,Version&) : Boolean")
    def try_parse(text: str | None, result: Any) -> bool:
        try:
            if text is None:
                raise argument("")
            result.value = parse_version(text)
            return True
        except NetException:
            result.value = None
            return False

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)

    @method("ToString(Int32) : String")
    def to_string_fields(self, count: int) -> str:
        if not 0 <= count <= len(self.parts):
            raise argument(f"Argument must be between 0 and {len(self.parts)}.", "fieldCount")
        return ".".join(map(str, self.parts[:count]))


def parse_version(text: str, name: str = "version") -> Version:
    need(text, name)
    pieces = text.split(".")
    if not 2 <= len(pieces) <= 4:
        raise argument("Version string portion was too short or too long.", name)
    parts = []
    for piece in pieces:
        body = piece.strip()
        if not re.fullmatch(r"[+-]?\d+", body):
            raise format_exception("Input string was not in a correct format.")
        number = int(body)
        if number < 0:
            raise out_of_range(name, "Version's parameters must be greater than or equal to zero.")
        if number > 2**31 - 1:
            raise NetException("System.OverflowException", "Value was either too large or too small for an Int32.")
        parts.append(number)
    return Version(*parts)


# ------------------------------------------------------------------------------------------------------------ Uri

_PORTS = {
    "http": 80,
    "https": 443,
    "ftp": 21,
    "file": -1,
    "ldap": 389,
    "mailto": 25,
    "net.tcp": 808,
    "ws": 80,
    "wss": 443,
}
_INVALID = "Invalid URI: The format of the URI could not be determined."
_UNRESERVED = "-._~"
_RESERVED = ";/?:@&=+$,#[]!'()*"


def _remove_dots(path: str) -> str:
    out: list[str] = []
    segments = path.split("/")
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == ".":
            if last:
                out.append("")
        elif segment == "..":
            if len(out) > 1:
                out.pop()
            if last:
                out.append("")
        else:
            out.append(segment)
    return "/".join(out)


def escape_data(text: str) -> str:
    """`[uri]::EscapeDataString`."""
    return quote(text, safe=_UNRESERVED)


def escape_uri(text: str) -> str:
    """`[uri]::EscapeUriString`: reserved characters stay."""
    return quote(text, safe=_UNRESERVED + _RESERVED)


@net_type("System.Uri")
class Uri(NetObject):
    """System.Uri for hierarchical schemes (http, https, ftp, file, UNC and drive paths) and opaque ones (mailto)."""

    def __init__(self, text: str, kind: int = 1) -> None:
        self.original = text
        self.absolute = False
        self.scheme = self.user_info = self.host_text = self.path_text = self.query_text = self.fragment_text = ""
        self.port_number = -1
        self.unc = False
        self._parse(kind)

    def _parse(self, kind: int) -> None:
        text = self.original.strip()
        found = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", text, re.DOTALL)
        if found and len(found.group(1)) == 1 and found.group(2)[:1] in ("\\", "/"):
            self.absolute, self.scheme = True, "file"
            self.path_text = "/" + text.replace("\\", "/")
            return
        if text.startswith("\\\\") and len(text) > 2:
            self.absolute, self.scheme, self.unc = True, "file", True
            host, _, path = text[2:].replace("\\", "/").partition("/")
            self.host_text, self.path_text = host.lower(), "/" + path
            return
        if not found or kind == 2:
            if kind == 1:
                if not text:
                    raise _uri_error("Invalid URI: The URI is empty.")
                raise _uri_error(_INVALID)
            return
        self.scheme = found.group(1).lower()
        rest = found.group(2)
        rest, hash_mark, fragment = rest.partition("#")
        rest, question, query = rest.partition("?")
        self.fragment_text = f"#{quote(fragment, safe=_UNRESERVED + _RESERVED + '%')}" if hash_mark else ""
        self.query_text = f"?{quote(query, safe=_UNRESERVED + _RESERVED + '%')}" if question else ""
        if rest.startswith("//") or (self.scheme in ("http", "https", "ftp") and rest.startswith("\\\\")):
            authority, slash, path = rest[2:].replace("\\", "/").partition("/")
            user, at, host = authority.rpartition("@")
            self.user_info = user if at else ""
            port_text = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^:]*)(?::(\d*))?", host)
            if not port_text:
                raise _uri_error("Invalid URI: Invalid port specified.")
            self.host_text = port_text.group(1).lower()
            if not self.host_text and self.scheme != "file":
                raise _uri_error("Invalid URI: The hostname could not be parsed.")
            if re.search(r"[\s<>\"{}|^`]", self.host_text):
                raise _uri_error("Invalid URI: The hostname could not be parsed.")
            self.port_number = int(port_text.group(2)) if port_text.group(2) else _PORTS.get(self.scheme, -1)
            if self.port_number > 65535:
                raise _uri_error("Invalid URI: Invalid port specified.")
            path = "/" + path if slash else ("/" if self.scheme in _PORTS else "")
            self.path_text = _remove_dots(quote(path, safe=_UNRESERVED + _RESERVED + "%"))
            self.unc = self.scheme == "file" and bool(self.host_text)
        else:
            if self.scheme in ("http", "https", "ftp"):
                if not rest:
                    raise _uri_error("Invalid URI: The hostname could not be parsed.")
                raise _uri_error("Invalid URI: The hostname could not be parsed.")
            self.path_text = rest
            self.port_number = _PORTS.get(self.scheme, -1)
            if self.scheme == "mailto" and "@" in rest:
                self.user_info, _, self.host_text = rest.partition("@")
        self.absolute = True

    def __str__(self) -> str:
        if not self.absolute:
            return self.original
        text = self.absolute_text
        return re.sub(r"(?:%[0-9A-Fa-f]{2})+", _readable, text)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Uri):
            return self.compare_text == other.compare_text
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.compare_text)

    @property
    def compare_text(self) -> str:
        return self.absolute_text.partition("#")[0] if self.absolute else self.original

    @property
    def authority_text(self) -> str:
        port = "" if self.port_number in (-1, _PORTS.get(self.scheme)) else f":{self.port_number}"
        return self.host_text + port

    @property
    def absolute_text(self) -> str:
        if self.scheme == "mailto" or not (self.host_text or self.path_text.startswith("/")):
            return f"{self.scheme}:{self.path_text}{self.query_text}{self.fragment_text}"
        user = f"{self.user_info}@" if self.user_info else ""
        path = quote(self.path_text, safe=_UNRESERVED + _RESERVED + "%") if self.scheme == "file" else self.path_text
        return f"{self.scheme}://{user}{self.authority_text}{path}{self.query_text}{self.fragment_text}"

    def need_absolute(self) -> None:
        if not self.absolute:
            raise NetException(
                "System.InvalidOperationException", "This operation is not supported for a relative URI."
            )

    @ctor("(String)")
    def new(self, text: str) -> None:
        self.__init__(need(text, "uriString"))

    @ctor("(String,UriKind)")
    def new_kind(self, text: str, kind: Any) -> None:
        self.__init__(need(text, "uriString"), kind.value)

    @ctor("(Uri,String)")
    def new_relative_text(self, base: Uri, text: str) -> None:
        self.__init__(resolve_uri(need(base, "baseUri"), text or ""))

    @ctor("(Uri,Uri)")
    def new_relative(self, base: Uri, relative: Uri) -> None:
        self.__init__(resolve_uri(need(base, "baseUri"), need(relative, "relativeUri").original))

    @prop("AbsolutePath : String get")
    def absolute_path(self) -> str:
        self.need_absolute()
        if self.scheme == "file" and re.match(r"/[A-Za-z]:", self.path_text):
            return quote(self.path_text[1:], safe=_UNRESERVED + _RESERVED + "%")
        return self.path_text

    @prop("AbsoluteUri : String get")
    def absolute_uri(self) -> str:
        self.need_absolute()
        return self.absolute_text

    @prop("Authority : String get")
    def authority(self) -> str:
        self.need_absolute()
        return self.authority_text

    @prop("Host : String get")
    def host(self) -> str:
        self.need_absolute()
        return self.host_text

    @prop("DnsSafeHost : String get")
    def dns_safe_host(self) -> str:
        self.need_absolute()
        return self.host_text.strip("[]")

    @prop("IdnHost : String get")
    def idn_host(self) -> str:
        return self.host_text

    @prop("HostNameType : UriHostNameType get")
    def host_name_type(self) -> str:
        if not self.host_text:
            return "Basic"
        if self.host_text.startswith("["):
            return "IPv6"
        return "IPv4" if re.fullmatch(r"\d+(\.\d+){3}", self.host_text) else "Dns"

    @prop("Fragment : String get")
    def fragment(self) -> str:
        self.need_absolute()
        return self.fragment_text

    @prop("IsAbsoluteUri : Boolean get")
    def is_absolute_uri(self) -> bool:
        return self.absolute

    @prop("IsDefaultPort : Boolean get")
    def is_default_port(self) -> bool:
        self.need_absolute()
        return self.port_number == _PORTS.get(self.scheme, -1)

    @prop("IsFile : Boolean get")
    def is_file(self) -> bool:
        return self.scheme == "file"

    @prop("IsLoopback : Boolean get")
    def is_loopback(self) -> bool:
        return self.host_text in ("localhost", "127.0.0.1", "[::1]", "loopback") or (
            self.scheme == "file" and not self.host_text
        )

    @prop("IsUnc : Boolean get")
    def is_unc(self) -> bool:
        return self.unc

    @prop("LocalPath : String get")
    def local_path(self) -> str:
        self.need_absolute()
        if self.scheme == "file":
            path = unquote(self.path_text)
            if self.unc:
                return f"\\\\{self.host_text}{path}".replace("/", "\\")
            return (path[1:] if re.match(r"/[A-Za-z]:", path) else path).replace("/", "\\")
        return unquote(self.path_text)

    @prop("OriginalString : String get")
    def original_string(self) -> str:
        return self.original

    @prop("PathAndQuery : String get")
    def path_and_query(self) -> str:
        self.need_absolute()
        return self.path_text + self.query_text

    @prop("Port : Int32 get")
    def port(self) -> int:
        self.need_absolute()
        return self.port_number

    @prop("Query : String get")
    def query(self) -> str:
        self.need_absolute()
        return self.query_text

    @prop("Scheme : String get")
    def scheme_name(self) -> str:
        self.need_absolute()
        return self.scheme

    @prop("Segments : String[] get")
    def segments(self) -> list[str]:
        self.need_absolute()
        return re.findall(r"[^/]*/|[^/]+$", self.path_text)

    @prop("UserEscaped : Boolean get")
    def user_escaped(self) -> bool:
        return False

    @prop("UserInfo : String get")
    def user_info_text(self) -> str:
        self.need_absolute()
        return self.user_info

    for _name, _value in {
        "Http": "http",
        "Https": "https",
        "Ftp": "ftp",
        "File": "file",
        "Mailto": "mailto",
        "NetTcp": "net.tcp",
    }.items():
        locals()[f"scheme_{_name}"] = static_prop(f"UriScheme{_name} : String")(lambda _value=_value: _value)
    del _name, _value

    @static_prop("SchemeDelimiter : String")
    def scheme_delimiter() -> str:
        return "://"

    @static("CheckHostName(String) : UriHostNameType")
    def check_host_name(name: str) -> str:
        if re.fullmatch(r"\d+(\.\d+){3}", name or ""):
            return "IPv4"
        if re.fullmatch(r"\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\]?", name or ""):
            return "IPv6"
        return "Dns" if re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", name or "") else "Unknown"

    @static("CheckSchemeName(String) : Boolean")
    def check_scheme_name(name: str) -> bool:
        return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*", name or ""))

    @static("EscapeDataString(String) : String")
    def escape_data_string(text: str) -> str:
        return escape_data(need(text, "stringToEscape"))

    @static("EscapeUriString(String) : String")
    def escape_uri_string(text: str) -> str:
        return escape_uri(need(text, "stringToEscape"))

    @static("UnescapeDataString(String) : String")
    def unescape_data_string(text: str) -> str:
        return unquote(need(text, "stringToUnescape"))

    @static("HexEscape(Char) : String")
    def hex_escape(char: str) -> str:
        return f"%{ord(char):02X}"

    @static("IsWellFormedUriString(String,UriKind) : Boolean")
    def is_well_formed(text: str | None, kind: Any) -> bool:
        try:
            made = Uri(text or "", kind.value)
        except NetException:
            return False
        if kind.value == 1 and not made.absolute:
            return False
        return not re.search(r"[\s<>\"{}|\\^`]|%(?![0-9A-Fa-f]{2})", text or "")

    @method("Equals(Object) : Boolean")
    def equals(self, other: Any) -> bool:
        return isinstance(other, Uri) and self == other

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return net_hash(self.compare_text)

    @method("GetLeftPart(UriPartial) : String")
    def get_left_part(self, part: Any) -> str:
        self.need_absolute()
        user = f"{self.user_info}@" if self.user_info else ""
        head = f"{self.scheme}://"
        return (
            head,
            f"{head}{user}{self.authority_text}",
            f"{head}{user}{self.authority_text}{self.path_text}",
            f"{head}{user}{self.authority_text}{self.path_text}{self.query_text}",
        )[part.value]

    @method("IsBaseOf(Uri) : Boolean")
    def is_base_of(self, other: Uri) -> bool:
        base = self.absolute_text.partition("?")[0].rpartition("/")[0] + "/"
        return other.absolute_text.lower().startswith(base.lower())

    @method("MakeRelativeUri(Uri) : Uri")
    def make_relative_uri(self, other: Uri) -> Uri:
        if (self.scheme, self.authority_text) != (other.scheme, other.authority_text):
            return other
        mine, theirs = self.path_text.split("/")[:-1], other.path_text.split("/")
        shared = 0
        while shared < len(mine) and shared < len(theirs) - 1 and mine[shared] == theirs[shared]:
            shared += 1
        text = "../" * (len(mine) - shared) + "/".join(theirs[shared:])
        return Uri(text + other.query_text + other.fragment_text, 0)

    @method("ToString() : String")
    def to_string(self) -> str:
        return str(self)

    @static("TryCreate(String,UriKind,Uri&) : Boolean")
    def try_create(text: str | None, kind: Any, result: Any) -> bool:
        result.value = None
        if text is None:
            return False
        try:
            made = Uri(text, kind.value)
        except NetException:
            return False
        result.value = made
        return True

    @static("TryCreate(Uri,String,Uri&) : Boolean")
    def try_create_relative(base: Uri, text: str, result: Any) -> bool:
        try:
            result.value = Uri(resolve_uri(base, text or ""))
            return True
        except NetException:
            result.value = None
            return False


def _readable(found: re.Match[str]) -> str:
    """Escapes that ToString() shows as characters: everything but reserved ones, controls and broken UTF-8."""
    raw = bytes(int(item, 16) for item in found.group().split("%")[1:])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return found.group()
    return "".join(
        char if ord(char) > 0x20 - 1 and char not in "%#?;/:@&=+$,\\" and ord(char) != 0x7F else quote(char, safe="")
        for char in text
    )


def resolve_uri(base: Uri, text: str) -> str:
    """A reference against a base, as RFC 3986 has it."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.\-]+:", text):
        return text
    if not base.absolute:
        raise out_of_range("baseUri")
    user = f"{base.user_info}@" if base.user_info else ""
    head = f"{base.scheme}://{user}{base.authority_text}"
    if text.startswith("//"):
        return f"{base.scheme}:{text}"
    if text.startswith(("/", "\\")):
        return head + text
    if not text:
        return head + base.path_text + base.query_text
    if text.startswith("?"):
        return head + base.path_text + text
    if text.startswith("#"):
        return head + base.path_text + base.query_text + text
    return head + base.path_text.rpartition("/")[0] + "/" + text


def _uri_error(message: str) -> NetException:
    return NetException("System.UriFormatException", message)
