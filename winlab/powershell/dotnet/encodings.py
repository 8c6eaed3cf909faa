"""Text encodings as .NET Framework has them: code pages, preambles, replacement of what does not fit."""

from __future__ import annotations

import codecs
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import Char, NetObject

from .core import ctor, method, net_type, prop, static, static_prop
from .declare import argument, need, out_of_range, overloads

# code page -> (Python codec, web name, English name, preamble)
_PAGES: dict[int, tuple[str, str, str, bytes]] = {
    437: ("cp437", "IBM437", "OEM United States", b""),
    850: ("cp850", "ibm850", "Western European (DOS)", b""),
    852: ("cp852", "ibm852", "Central European (DOS)", b""),
    866: ("cp866", "cp866", "Cyrillic (DOS)", b""),
    932: ("cp932", "shift_jis", "Japanese (Shift-JIS)", b""),
    936: ("gbk", "gb2312", "Chinese Simplified (GB2312)", b""),
    949: ("cp949", "ks_c_5601-1987", "Korean", b""),
    950: ("cp950", "big5", "Chinese Traditional (Big5)", b""),
    1200: ("utf-16-le", "utf-16", "Unicode", b"\xff\xfe"),
    1201: ("utf-16-be", "utf-16BE", "Unicode (Big-Endian)", b"\xfe\xff"),
    1250: ("cp1250", "windows-1250", "Central European (Windows)", b""),
    1251: ("cp1251", "windows-1251", "Cyrillic (Windows)", b""),
    1252: ("cp1252", "Windows-1252", "Western European (Windows)", b""),
    1253: ("cp1253", "windows-1253", "Greek (Windows)", b""),
    1254: ("cp1254", "windows-1254", "Turkish (Windows)", b""),
    12000: ("utf-32-le", "utf-32", "Unicode (UTF-32)", b"\xff\xfe\x00\x00"),
    12001: ("utf-32-be", "utf-32BE", "Unicode (UTF-32 Big-Endian)", b"\x00\x00\xfe\xff"),
    20127: ("ascii", "us-ascii", "US-ASCII", b""),
    28591: ("latin-1", "iso-8859-1", "Western European (ISO)", b""),
    28592: ("iso8859-2", "iso-8859-2", "Central European (ISO)", b""),
    28605: ("iso8859-15", "iso-8859-15", "Latin 9 (ISO)", b""),
    54936: ("gb18030", "GB18030", "Chinese Simplified (GB18030)", b""),
    65000: ("utf-7", "utf-7", "Unicode (UTF-7)", b""),
    65001: ("utf-8", "utf-8", "Unicode (UTF-8)", b"\xef\xbb\xbf"),
}
_NAMES = {entry[1].lower(): page for page, entry in _PAGES.items()}
_NAMES |= {
    "ascii": 20127,
    "us": 20127,
    "utf8": 65001,
    "unicode": 1200,
    "utf-16le": 1200,
    "unicodefffe": 1201,
    "utf7": 65000,
    "utf32": 12000,
    "ucs-2": 1200,
    "latin1": 28591,
    "iso_8859-1": 28591,
    "iso8859-1": 28591,
    "l1": 28591,
    "x-ansi": 1252,
    "cp437": 437,
    "cp850": 850,
    "cp1252": 1252,
    "437": 437,
    "sjis": 932,
    "gbk": 936,
    "x-cp1252": 1252,
}
ANSI, OEM = 1252, 437


def _question(error: UnicodeError) -> tuple[str, int]:
    """Encoding: `?` for what the code page lacks. Decoding: C1 controls for the holes of Windows code pages, else U+FFFD."""
    if isinstance(error, UnicodeEncodeError):
        return "?" * (error.end - error.start), error.end
    if isinstance(error, UnicodeDecodeError):
        piece = error.object[error.start : error.end]
        if error.encoding.startswith(("cp125", "charmap")):
            return "".join(chr(byte) for byte in piece), error.end
        return "\ufffd", error.end
    raise error


codecs.register_error("winlab-replace", _question)
_WINDOWS_HOLES = {"\x81": b"\x81", "\x8d": b"\x8d", "\x8f": b"\x8f", "\x90": b"\x90", "\x9d": b"\x9d"}


def encode_text(text: str, page: int) -> bytes:
    """Text in a code page, with `?` (or U+FFFD in Unicode encodings) for what does not fit."""
    codec = _PAGES[page][0]
    if codec.startswith("utf"):
        try:
            return text.encode(codec)
        except UnicodeEncodeError:
            fixed = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            return fixed.encode(codec, "replace")
    if codec == "cp1252" and any(char in _WINDOWS_HOLES for char in text):
        return b"".join(_WINDOWS_HOLES.get(char) or char.encode(codec, "winlab-replace") for char in text)
    return text.encode(codec, "winlab-replace")


def decode_text(data: bytes, page: int) -> str:
    """Bytes of a code page as text; broken sequences become U+FFFD (`?` in ASCII)."""
    codec = _PAGES[page][0]
    if codec == "ascii":
        return "".join(chr(byte) if byte < 128 else "?" for byte in data)
    return data.decode(codec, "winlab-replace")


def detect(data: bytes) -> tuple[int, int] | None:
    """`(code page, length)` of the byte order mark that data starts with, or None."""
    for page in (12000, 12001, 65001, 1200, 1201):
        mark = _PAGES[page][3]
        if data.startswith(mark):
            return page, len(mark)
    return None


@net_type("System.Text.Encoding", interfaces=("ICloneable",))
class Encoding(NetObject):
    """An encoding by code page. `bom` tells whether GetPreamble gives its mark; `strict` whether errors throw."""

    def __init__(self, page: int, bom: bool = True, strict: bool = False) -> None:
        self.page = page
        self.bom = bom
        self.strict = strict

    def __str__(self) -> str:
        return self.net_type.full_name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Encoding) and other.page == self.page and other.bom == self.bom

    def __hash__(self) -> int:
        return hash((self.page, self.bom))

    @property
    def preamble(self) -> bytes:
        return _PAGES[self.page][3] if self.bom else b""

    def encode(self, text: str) -> bytes:
        if self.strict:
            try:
                return text.encode(_PAGES[self.page][0])
            except UnicodeEncodeError as error:
                raise NetException(
                    "System.Text.EncoderFallbackException",
                    f"Unable to translate Unicode character \\u{ord(text[error.start]):04X} at index {error.start} to specified code page.",
                ) from None
        return encode_text(text, self.page)

    def decode(self, data: Any) -> str:
        body = bytes(data)
        if self.strict:
            try:
                return body.decode(_PAGES[self.page][0])
            except UnicodeDecodeError as error:
                shown = "".join(f"[{byte:02X}]" for byte in body[error.start : error.end])
                raise NetException(
                    "System.Text.DecoderFallbackException",
                    f"Unable to translate bytes {shown} at index {error.start} from specified code page to Unicode.",
                ) from None
        return decode_text(body, self.page)

    def new_decoder(self) -> codecs.IncrementalDecoder:
        """A decoder that keeps incomplete sequences between calls."""
        return codecs.getincrementaldecoder(_PAGES[self.page][0])("strict" if self.strict else "winlab-replace")

    @static_prop("ASCII : Text.Encoding get")
    def ascii() -> Encoding:
        return make_encoding(20127)

    @static_prop("BigEndianUnicode : Text.Encoding get")
    def big_endian_unicode() -> Encoding:
        return make_encoding(1201)

    @static_prop("Default : Text.Encoding get")
    def default_encoding() -> Encoding:
        return make_encoding(ANSI)

    @static_prop("UTF32 : Text.Encoding get")
    def utf32() -> Encoding:
        return make_encoding(12000)

    @static_prop("UTF7 : Text.Encoding get")
    def utf7() -> Encoding:
        return make_encoding(65000)

    @static_prop("UTF8 : Text.Encoding get")
    def utf8() -> Encoding:
        return make_encoding(65001)

    @static_prop("Unicode : Text.Encoding get")
    def unicode() -> Encoding:
        return make_encoding(1200)

    @prop("BodyName : String get")
    def body_name(self) -> str:
        return _PAGES[self.page][1].lower() if self.page != 1252 else "iso-8859-1"

    @prop("HeaderName : String get")
    def header_name(self) -> str:
        return _PAGES[self.page][1]

    @prop("WebName : String get")
    def web_name(self) -> str:
        return _PAGES[self.page][1]

    @prop("CodePage : Int32 get")
    def code_page(self) -> int:
        return self.page

    @prop("WindowsCodePage : Int32 get")
    def windows_code_page(self) -> int:
        return (
            self.page
            if 1250 <= self.page <= 1258
            else 1200
            if self.page in (1200, 1201, 65000, 65001, 12000, 12001)
            else 1252
        )

    @prop("EncodingName : String get")
    def encoding_name(self) -> str:
        return _PAGES[self.page][2]

    @prop("IsSingleByte : Boolean get")
    def is_single_byte(self) -> bool:
        return not _PAGES[self.page][0].startswith(("utf", "gb", "cp9"))

    @prop("IsReadOnly : Boolean get")
    def is_read_only(self) -> bool:
        return True

    @method("Clone() : Object")
    def clone(self) -> Encoding:
        return make_encoding(self.page, self.bom, self.strict)

    @static("Convert(Text.Encoding,Text.Encoding,Byte[]) : Byte[]")
    def convert(source: Encoding, target: Encoding, data: Any) -> bytes:
        return need(target, "dstEncoding").encode(need(source, "srcEncoding").decode(need(data, "bytes")))

    @method("Equals(Object) : Boolean")
    def equals(self, other: Any) -> bool:
        return self == other

    @overloads("System.Text.Encoding", "GetByteCount")
    def get_byte_count(self, chars: Any, index: int = 0, count: int | None = None) -> int:
        text = "".join(need(chars, "chars"))
        return len(self.encode(text[index : len(text) if count is None else index + count]))

    @overloads("System.Text.Encoding", "GetBytes")
    def get_bytes(self, chars: Any, *arguments: Any) -> Any:
        text = "".join(need(chars, "s" if isinstance(chars, str) or chars is None else "chars"))
        if not arguments:
            return self.encode(text)
        index, count = arguments[:2]
        if index < 0 or count < 0 or index + count > len(text):
            raise out_of_range("s", "Index and count must refer to a location within the string.")
        data = self.encode(text[index : index + count])
        if len(arguments) == 2:
            return data
        target, start = arguments[2:]
        if start < 0 or start + len(data) > len(target):
            raise argument(
                "The output byte buffer is too small to contain the encoded data, encoding "
                f"'{self.encoding_name}' fallback 'System.Text.EncoderReplacementFallback'.",
                "bytes",
            )
        target[start : start + len(data)] = data
        return len(data)

    def _part(self, data: Any, arguments: tuple[Any, ...]) -> bytes:
        need(data, "bytes")
        if not arguments:
            return bytes(data)
        index, count = arguments[:2]
        if index < 0 or count < 0:
            raise out_of_range("index" if index < 0 else "count", "Non-negative number required.")
        if index + count > len(data):
            raise out_of_range("bytes", "Index and count must refer to a location within the buffer.")
        return bytes(memoryview(data)[index : index + count])

    @overloads("System.Text.Encoding", "GetString")
    def get_string(self, data: Any, *arguments: Any) -> str:
        return self.decode(self._part(data, arguments))

    @overloads("System.Text.Encoding", "GetCharCount")
    def get_char_count(self, data: Any, *arguments: Any) -> int:
        return len(self.decode(self._part(data, arguments)))

    @overloads("System.Text.Encoding", "GetChars")
    def get_chars(self, data: Any, *arguments: Any) -> Any:
        text = self.decode(self._part(data, arguments))
        if len(arguments) < 4:
            return [Char(char) for char in text]
        target, start = arguments[2:]
        for offset, char in enumerate(text):
            target[start + offset] = Char(char)
        return len(text)

    @static("GetEncoding(Int32) : Text.Encoding")
    def get_encoding(page: int) -> Encoding:
        if page == 0:
            return make_encoding(ANSI)
        if page not in _PAGES:
            if 0 < page <= 65535:
                raise LabUnsupported(f"code page {page}")
            raise out_of_range("codepage", "Valid values are between 0 and 65535, inclusive.")
        return make_encoding(page)

    @static("GetEncoding(String) : Text.Encoding")
    def get_encoding_by_name(name: str) -> Encoding:
        page = _NAMES.get(need(name, "name").lower())
        if page is None:
            raise argument(
                f"'{name}' is not a supported encoding name. For information on defining a custom encoding, see the documentation for "
                "the Encoding.RegisterProvider method.",
                "name",
            )
        return make_encoding(page)

    @method("GetHashCode() : Int32")
    def get_hash_code(self) -> int:
        return self.page

    @method("GetMaxByteCount(Int32) : Int32")
    def get_max_byte_count(self, count: int) -> int:
        factor = {65001: 3, 1200: 2, 1201: 2, 12000: 4, 12001: 4}.get(self.page, 1)
        return (count + 1) * factor

    @method("GetMaxCharCount(Int32) : Int32")
    def get_max_char_count(self, count: int) -> int:
        if self.page in (1200, 1201):
            return (count >> 1) + (count & 1) + 1
        return count + 1 if self.page == 65001 else count

    @method("GetPreamble() : Byte[]")
    def get_preamble(self) -> bytes:
        return self.preamble

    @method("GetDecoder() : Text.Decoder")
    def get_decoder(self) -> Decoder:
        return Decoder(self)


@net_type("System.Text.Decoder")
class Decoder(NetObject):
    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.state = encoding.new_decoder()

    @method("GetCharCount(Byte[],Int32,Int32) : Int32")
    def get_char_count(self, data: Any, index: int, count: int) -> int:
        saved = self.state.getstate()
        length = len(self.state.decode(bytes(data[index : index + count])))
        self.state.setstate(saved)
        return length

    @method("GetChars(Byte[],Int32,Int32,Char[],Int32) : Int32")
    def get_chars(self, data: Any, index: int, count: int, target: Any, start: int) -> int:
        text = self.state.decode(bytes(data[index : index + count]))
        for offset, char in enumerate(text):
            target[start + offset] = Char(char)
        return len(text)

    @method("Reset() : Void")
    def reset(self) -> None:
        self.state.reset()


@net_type("System.Text.UTF8Encoding")
class UTF8Encoding(Encoding):
    @ctor("()")
    def new(self) -> None:
        self.__init__(65001, False)

    @ctor("(Boolean)")
    @ctor("(Boolean,Boolean)")
    def new_bom(self, bom: bool, strict: bool = False) -> None:
        self.__init__(65001, bom, strict)


@net_type("System.Text.UnicodeEncoding")
class UnicodeEncoding(Encoding):
    @ctor("()")
    def new(self) -> None:
        self.__init__(1200)

    @ctor("(Boolean,Boolean)")
    @ctor("(Boolean,Boolean,Boolean)")
    def new_order(self, big_endian: bool, bom: bool, strict: bool = False) -> None:
        self.__init__(1201 if big_endian else 1200, bom, strict)

    @static_prop("CharSize : Int32")
    def char_size() -> int:
        return 2


@net_type("System.Text.UTF32Encoding")
class UTF32Encoding(Encoding):
    @ctor("()")
    def new(self) -> None:
        self.__init__(12000)

    @ctor("(Boolean,Boolean)")
    def new_order(self, big_endian: bool, bom: bool) -> None:
        self.__init__(12001 if big_endian else 12000, bom)


@net_type("System.Text.UTF7Encoding")
class UTF7Encoding(Encoding):
    @ctor("()")
    def new(self) -> None:
        self.__init__(65000)


@net_type("System.Text.ASCIIEncoding")
class ASCIIEncoding(Encoding):
    @ctor("()")
    def new(self) -> None:
        self.__init__(20127)


class SBCSCodePageEncoding(Encoding):
    """Encodings without a public class of their own."""


net_type("System.Text.SBCSCodePageEncoding", base="System.Text.Encoding", kind="class", assembly="mscorlib")(
    SBCSCodePageEncoding
)
_CLASSES: dict[int, type[Encoding]] = {
    65001: UTF8Encoding,
    1200: UnicodeEncoding,
    1201: UnicodeEncoding,
    12000: UTF32Encoding,
    12001: UTF32Encoding,
    65000: UTF7Encoding,
    20127: ASCIIEncoding,
}


def make_encoding(page: int, bom: bool = True, strict: bool = False) -> Encoding:
    """The Encoding of a code page, of the class .NET has for it."""
    return _CLASSES.get(page, SBCSCodePageEncoding)(page, bom, strict)


UTF8_NO_BOM = make_encoding(65001, False)
