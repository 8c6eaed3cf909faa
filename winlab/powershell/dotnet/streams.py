"""System.IO streams, readers and writers, and System.IO.Compression over streams."""

from __future__ import annotations

import struct
import zlib
from decimal import Decimal
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import ByteArray, Char, EnumValue, NetObject, Single, unwrap
from winlab.windows.errors import WindowsError

from . import context, paths
from .core import ctor, get_type, method, net_type, prop, static, static_prop
from .declare import (
    argument,
    disposed,
    io_exception,
    need,
    not_supported,
    out_of_range,
    overloads,
    path_error,
)
from .encodings import UTF8_NO_BOM, Encoding, detect, make_encoding
from .strings import StringBuilder, _flat
from .threads import Task
from .values import format_composite, net_string

CLOSED = "Cannot access a closed Stream."
CLOSED_FILE = "Cannot access a closed file."
_OFFSETS = (
    "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the "
    "source collection."
)


def check_buffer(buffer: Any, offset: int, count: int, name: str = "buffer") -> None:
    need(buffer, name)
    if offset < 0 or count < 0:
        raise out_of_range("offset" if offset < 0 else "count", "Non-negative number required.")
    if len(buffer) - offset < count:
        raise argument(_OFFSETS)


# ------------------------------------------------------------------------------------------------------------ Stream


@net_type("System.IO.Stream", interfaces=("IDisposable",))
class Stream(NetObject):
    """Base of streams. Subclasses implement read_bytes, write_bytes and, where they can seek, position and length."""

    readable = writable = seekable = False
    closed = False

    # -- for Python code

    def read_bytes(self, count: int) -> bytes:
        """Up to `count` bytes; b'' at the end."""
        raise not_supported("Stream does not support reading.")

    def write_bytes(self, data: bytes) -> None:
        raise not_supported("Stream does not support writing.")

    def flush_stream(self) -> None:
        pass

    def close_stream(self) -> None:
        self.closed = True

    def get_length(self) -> int:
        raise not_supported("Stream does not support seeking.")

    def set_length(self, value: int) -> None:
        raise not_supported("Stream does not support seeking.")

    def get_position(self) -> int:
        raise not_supported("Stream does not support seeking.")

    def set_position(self, value: int) -> None:
        raise not_supported("Stream does not support seeking.")

    def alive(self) -> None:
        if self.closed:
            raise disposed(message=CLOSED)

    def read_all(self) -> bytes:
        parts: list[bytes] = []
        while True:
            data = self.read_bytes(1 << 20)
            if not data:
                return b"".join(parts)
            parts.append(data)

    # -- members

    @prop("CanRead : Boolean get")
    def can_read(self) -> bool:
        return self.readable and not self.closed

    @prop("CanWrite : Boolean get")
    def can_write(self) -> bool:
        return self.writable and not self.closed

    @prop("CanSeek : Boolean get")
    def can_seek(self) -> bool:
        return self.seekable and not self.closed

    @prop("CanTimeout : Boolean get")
    def can_timeout(self) -> bool:
        return False

    @prop("Length : Int64 get")
    def length(self) -> int:
        self.alive()
        return self.get_length()

    @prop("Position : Int64")
    def position(self) -> int:
        self.alive()
        return self.get_position()

    @position.setter
    def position(self, value: int) -> None:
        self.alive()
        if value < 0:
            raise out_of_range("value", "Non-negative number required.")
        self.set_position(int(value))

    @static_prop("Null : IO.Stream")
    def null() -> Stream:
        return NullStream()

    @method("Read(Byte[],Int32,Int32) : Int32")
    def read(self, buffer: Any, offset: int, count: int) -> int:
        check_buffer(buffer, offset, count, "array" if isinstance(self, FileStream) else "buffer")
        self.alive()
        if count == 0:
            return 0
        data = self.read_bytes(count)
        buffer[offset : offset + len(data)] = data
        return len(data)

    @method("ReadByte() : Int32")
    def read_byte(self) -> int:
        self.alive()
        data = self.read_bytes(1)
        return data[0] if data else -1

    @method("Write(Byte[],Int32,Int32) : Void")
    def write(self, buffer: Any, offset: int, count: int) -> None:
        check_buffer(buffer, offset, count, "array" if isinstance(self, FileStream) else "buffer")
        self.alive()
        self.write_bytes(bytes(memoryview(buffer)[offset : offset + count]))

    @method("WriteByte(Byte) : Void")
    def write_byte(self, value: int) -> None:
        self.alive()
        self.write_bytes(bytes([value]))

    @method("Flush() : Void")
    def flush(self) -> None:
        self.flush_stream()

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        if not self.closed:
            self.close_stream()
            self.closed = True

    @method("Seek(Int64,IO.SeekOrigin) : Int64")
    def seek(self, offset: int, origin: EnumValue) -> int:
        self.alive()
        base = (0, self.get_position(), self.get_length())[origin.value] if origin.value else 0
        target = base + int(offset)
        if target < 0:
            raise io_exception("An attempt was made to move the position before the beginning of the stream.")
        self.set_position(target)
        return target

    @method("SetLength(Int64) : Void")
    def net_set_length(self, value: int) -> None:
        self.alive()
        if value < 0:
            raise out_of_range("value", "Non-negative number required.")
        self.set_length(int(value))

    @method("CopyTo(IO.Stream) : Void")
    @method("CopyTo(IO.Stream,Int32) : Void")
    def copy_to(self, target: Stream, size: int = 81920) -> None:
        need(target, "destination")
        self.alive()
        if not self.readable:
            raise not_supported("Stream does not support reading.")
        if not target.writable:
            raise not_supported("Stream does not support writing.")
        while True:
            context.check()
            data = self.read_bytes(1 << 20)
            if not data:
                return
            target.write_bytes(data)

    @overloads("System.IO.Stream", "CopyToAsync")
    def copy_to_async(self, target: Stream, *arguments: Any) -> Task:
        return Task.run(lambda: self.copy_to(target))

    @overloads("System.IO.Stream", "ReadAsync")
    def read_async(self, buffer: Any, offset: int, count: int, token: Any = None) -> Task:
        check_buffer(buffer, offset, count)
        return Task.run(lambda: self.read(buffer, offset, count), "System.Int32")

    @overloads("System.IO.Stream", "WriteAsync")
    def write_async(self, buffer: Any, offset: int, count: int, token: Any = None) -> Task:
        check_buffer(buffer, offset, count)
        return Task.run(lambda: self.write(buffer, offset, count))

    @overloads("System.IO.Stream", "FlushAsync")
    def flush_async(self, token: Any = None) -> Task:
        return Task.run(self.flush_stream)

    @method("BeginRead(Byte[],Int32,Int32,AsyncCallback,Object) : IAsyncResult")
    def begin_read(self, buffer: Any, offset: int, count: int, callback: Any, state: Any) -> Task:
        if callback is not None:
            raise LabUnsupported("an AsyncCallback")
        return Task.run(lambda: self.read(buffer, offset, count), "System.Int32")

    @method("EndRead(IAsyncResult) : Int32")
    def end_read(self, result: Task) -> int:
        result.wait(None)
        if result.failure is not None:
            raise result.failure
        return int(result.outcome)

    @static("Synchronized(IO.Stream) : IO.Stream")
    def synchronized(stream: Stream) -> Stream:
        return need(stream, "stream")


class NullStream(Stream):
    readable = writable = seekable = True

    def read_bytes(self, count: int) -> bytes:
        return b""

    def write_bytes(self, data: bytes) -> None:
        pass

    def get_length(self) -> int:
        return 0

    def get_position(self) -> int:
        return 0

    def set_position(self, value: int) -> None:
        pass


net_type("System.IO.Stream+NullStream", base="System.IO.Stream", kind="class", assembly="mscorlib")(NullStream)


@net_type("System.IO.MemoryStream")
class MemoryStream(Stream):
    readable = seekable = True

    def __init__(self, data: Any = None, writable: bool = True) -> None:
        self.fixed = data is not None
        self.data: Any = data if isinstance(data, ByteArray) else ByteArray(data or b"")
        self.start = 0
        self.size = len(self.data)
        self.at = 0
        self.writable = writable
        self.exposed = not self.fixed

    @ctor("()")
    def new(self) -> None:
        self.__init__()

    @ctor("(Int32)")
    def new_capacity(self, capacity: int) -> None:
        if capacity < 0:
            raise out_of_range("capacity", "Capacity must be positive.")
        self.__init__()
        self.data = ByteArray(capacity)

    @ctor("(Byte[])")
    @ctor("(Byte[],Boolean)")
    def new_array(self, data: Any, writable: bool = True) -> None:
        self.__init__(need(data, "buffer"), writable)

    @ctor("(Byte[],Int32,Int32)")
    @ctor("(Byte[],Int32,Int32,Boolean)")
    @ctor("(Byte[],Int32,Int32,Boolean,Boolean)")
    def new_part(self, data: Any, index: int, count: int, writable: bool = True, exposed: bool = False) -> None:
        check_buffer(data, index, count)
        self.__init__(data, writable)
        self.start, self.size, self.exposed = index, count, exposed

    def read_bytes(self, count: int) -> bytes:
        begin = self.start + self.at
        data = (
            bytes(memoryview(self.data)[begin : min(begin + count, self.start + self.size)])
            if self.at < self.size
            else b""
        )
        self.at += len(data)
        return data

    def _reserve(self, size: int) -> None:
        if self.start + size > len(self.data):
            if self.fixed:
                raise not_supported("Memory stream is not expandable.")
            capacity = max(size, 256, len(self.data) * 2)
            grown = ByteArray(capacity)
            grown[: len(self.data)] = bytes(self.data)
            self.data = grown

    def write_bytes(self, data: bytes) -> None:
        if not self.writable:
            raise not_supported("Stream does not support writing.")
        end = self.at + len(data)
        self._reserve(end)
        if self.at > self.size:
            self.data[self.start + self.size : self.start + self.at] = bytes(self.at - self.size)
        self.data[self.start + self.at : self.start + end] = data
        self.at = end
        self.size = max(self.size, end)

    def get_length(self) -> int:
        return self.size

    def set_length(self, value: int) -> None:
        if not self.writable:
            raise not_supported("Stream does not support writing.")
        self._reserve(value)
        if value > self.size:
            self.data[self.start + self.size : self.start + value] = bytes(value - self.size)
        self.size = value
        self.at = min(self.at, value)

    def get_position(self) -> int:
        return self.at

    def set_position(self, value: int) -> None:
        self.at = value

    @prop("Capacity : Int32")
    def capacity(self) -> int:
        return len(self.data) - self.start

    @capacity.setter
    def capacity(self, value: int) -> None:
        if value < self.size:
            raise out_of_range("value", "capacity was less than the current size.")
        if self.fixed:
            raise not_supported("Memory stream is not expandable.")
        made = ByteArray(value)
        made[: self.size] = bytes(self.data[: self.size])
        self.data = made

    @method("GetBuffer() : Byte[]")
    def get_buffer(self) -> Any:
        if not self.exposed:
            raise NetException(
                "System.UnauthorizedAccessException", "MemoryStream's internal buffer cannot be accessed."
            )
        return self.data

    @method("ToArray() : Byte[]")
    def to_array(self) -> bytes:
        return bytes(memoryview(self.data)[self.start : self.start + self.size])

    @method("WriteTo(IO.Stream) : Void")
    def write_to(self, target: Stream) -> None:
        self.alive()
        need(target, "stream").write_bytes(self.to_array())


# ------------------------------------------------------------------------------------------------------------ FileStream

_MODES = {1: "CreateNew", 2: "Create", 3: "Open", 4: "OpenOrCreate", 5: "Truncate", 6: "Append"}


@net_type("System.IO.FileStream")
class FileStream(Stream):
    seekable = True

    def __init__(self, path: str, mode: int = 3, access: int = 1, share: int = 1) -> None:
        self.shown = path
        need(path, "path")
        if path == "":
            raise argument("Empty path name is not legal.")
        if not 1 <= mode <= 6:
            raise out_of_range("mode", "Enum value was out of legal range.")
        if mode == 6 and access & 1:
            raise argument("Append access can be requested only in write-only mode.", "access")
        if not access & 2 and mode in (1, 2, 5, 6):
            name = {1: "CreateNew", 2: "Create", 5: "Truncate", 6: "Append"}[mode]
            raise argument(f"Combining FileMode: {name} with FileAccess: Read is invalid.", "access")
        self.full = paths.full_path(path)
        self.readable, self.writable = bool(access & 1), bool(access & 2)
        try:
            self.handle = context.machine().fs.open(self.full, _MODES[mode], access, share, context.user())
        except WindowsError as error:
            raise path_error(error, self.full) from None
        self.append_start = self.handle.tell() if mode == 6 else -1

    @ctor("(String,IO.FileMode)")
    @ctor("(String,IO.FileMode,IO.FileAccess)")
    @ctor("(String,IO.FileMode,IO.FileAccess,IO.FileShare)")
    @ctor("(String,IO.FileMode,IO.FileAccess,IO.FileShare,Int32)")
    @ctor("(String,IO.FileMode,IO.FileAccess,IO.FileShare,Int32,IO.FileOptions)")
    @ctor("(String,IO.FileMode,IO.FileAccess,IO.FileShare,Int32,Boolean)")
    def new(
        self, path: str, mode: EnumValue, access: Any = None, share: Any = None, size: int = 4096, options: Any = None
    ) -> None:
        wanted = access.value if access is not None else (2 if mode.value == 6 else 3)
        self.__init__(path, mode.value, wanted, share.value if share is not None else 1)
        if isinstance(options, EnumValue) and options.value & 0x4000000:
            self.handle.delete_on_close = True

    def alive(self) -> None:
        if self.closed:
            raise disposed(message=CLOSED_FILE)

    def read_bytes(self, count: int) -> bytes:
        if not self.readable:
            raise not_supported("Stream does not support reading.")
        try:
            return bytes(self.handle.read(count))
        except WindowsError as error:
            raise path_error(error, self.full) from None

    def write_bytes(self, data: bytes) -> None:
        if not self.writable:
            raise not_supported("Stream does not support writing.")
        try:
            self.handle.write(data)
        except WindowsError as error:
            raise path_error(error, self.full) from None

    def flush_stream(self) -> None:
        self.alive()
        self.handle.flush()

    def close_stream(self) -> None:
        self.handle.close()

    def get_length(self) -> int:
        return int(self.handle.length)

    def set_length(self, value: int) -> None:
        if not self.writable:
            raise not_supported("Stream does not support writing.")
        position = self.handle.tell()
        self.handle.truncate(value)
        self.handle.seek(min(position, value))

    def get_position(self) -> int:
        return int(self.handle.tell())

    def set_position(self, value: int) -> None:
        if value < self.append_start:
            raise io_exception(
                "Unable seek backward to overwrite data that previously existed in a file opened in Append mode."
            )
        self.handle.seek(value)

    @prop("Name : String get")
    def name(self) -> str:
        return self.full

    @prop("IsAsync : Boolean get")
    def is_async(self) -> bool:
        return False

    @method("Flush(Boolean) : Void")
    def flush_disk(self, disk: bool) -> None:
        self.flush_stream()

    @method("Lock(Int64,Int64) : Void")
    @method("Unlock(Int64,Int64) : Void")
    def lock(self, position: int, length: int) -> None:
        raise LabUnsupported("locking a region of a file")

    @method("GetAccessControl() : Security.AccessControl.FileSecurity")
    def get_access_control(self) -> Any:
        from .access import FileSecurity

        return FileSecurity.of_path(self.full)


# ------------------------------------------------------------------------------------------------------------ pipes of processes


class PipeStream(Stream):
    """A standard stream of a process (a pipe of the lab or an open file), or nothing at all."""

    def __init__(self, source: Any, readable: bool) -> None:
        self.source = source
        self.readable = readable
        self.writable = not readable

    def read_bytes(self, count: int) -> bytes:
        if self.source is None:
            return b""
        if not hasattr(self.source, "read_available"):
            return bytes(self.source.read(count))
        while True:
            context.check()
            try:
                return bytes(self.source.read(count, 0.5))
            except TimeoutError:
                continue

    def write_bytes(self, data: bytes) -> None:
        if self.source is None or not data:
            return
        context.check()
        try:
            self.source.write(data)
        except WindowsError as error:
            if error.code in (109, 232, 233):
                raise io_exception(
                    "The pipe has been ended.\r\n" if error.code == 109 else "The pipe is being closed.\r\n",
                    error.hresult,
                ) from None
            raise path_error(error) from None

    def close_stream(self) -> None:
        closer = getattr(self.source, "close_write" if self.writable else "close_read", None)
        if closer is not None and getattr(self, "owned", False):
            closer()


net_type("System.IO.__ConsoleStream", base="System.IO.Stream", kind="class", assembly="mscorlib")(PipeStream)


class _PythonStream:
    """A file object of Python over a Stream, for zlib, zipfile and hashing."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def read(self, count: int = -1) -> bytes:
        return self.stream.read_all() if count is None or count < 0 else self._exactly(count)

    def _exactly(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count > 0:
            data = self.stream.read_bytes(count)
            if not data:
                break
            parts.append(data)
            count -= len(data)
        return b"".join(parts)

    def write(self, data: Any) -> int:
        self.stream.write_bytes(bytes(data))
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self.stream.get_position(), self.stream.get_length())[whence] if whence else 0
        self.stream.set_position(base + offset)
        return base + offset

    def tell(self) -> int:
        return self.stream.get_position()

    def truncate(self, size: int | None = None) -> int:
        target = self.tell() if size is None else size
        self.stream.set_length(target)
        return target

    def seekable(self) -> bool:
        return self.stream.seekable

    def readable(self) -> bool:
        return self.stream.readable

    def writable(self) -> bool:
        return self.stream.writable

    def flush(self) -> None:
        self.stream.flush_stream()

    def close(self) -> None:
        pass

    @property
    def closed(self) -> bool:
        return self.stream.closed

    @property
    def mode(self) -> str:
        return "rb+" if self.stream.writable else "rb"


def python_stream(stream: Stream) -> Any:
    return _PythonStream(stream)


# ------------------------------------------------------------------------------------------------------------ compression

_GZIP_BAD = "The magic number in GZip header is not correct. Make sure you are passing in a GZip stream."


class _Deflating(Stream):
    """What GZipStream and DeflateStream share. `window` is zlib's wbits."""

    window = 31

    def build(self, stream: Stream, mode: Any, leave_open: bool = False) -> None:
        need(stream, "stream")
        compress = mode.net_type.name == "CompressionLevel" or mode.value == 1
        level = 6
        if mode.net_type.name == "CompressionLevel":
            level = {0: 6, 1: 1, 2: 0}[mode.value]
        if compress and not stream.writable:
            raise argument("The base stream is not writeable.", "stream")
        if not compress and not stream.readable:
            raise argument("The base stream is not readable.", "stream")
        self.base, self.leave_open = stream, leave_open
        self.readable, self.writable = not compress, compress
        self.engine: Any = (
            zlib.compressobj(level, zlib.DEFLATED, self.window) if compress else zlib.decompressobj(self.window)
        )
        self.pending = b""
        self.finished = False
        self.wrote = False

    def read_bytes(self, count: int) -> bytes:
        if not self.readable:
            raise not_supported("Reading from the compression stream is not supported.")
        while not self.pending and not self.finished:
            data = self.engine.unconsumed_tail or self.base.read_bytes(1 << 16)
            if not data:
                self.finished = True
                break
            try:
                self.pending = self.engine.decompress(data, max(count, 1 << 16))
            except zlib.error as error:
                if "header" in str(error) and self.window == 31:
                    raise NetException("System.IO.InvalidDataException", _GZIP_BAD) from None
                raise NetException(
                    "System.IO.InvalidDataException", "Block length does not match with its complement."
                ) from None
            if self.engine.eof:
                rest = self.engine.unused_data
                if self.window == 31 and rest.startswith(b"\x1f\x8b"):
                    self.engine = zlib.decompressobj(self.window)
                    self.pending += self.engine.decompress(rest)
                else:
                    self.finished = True
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def write_bytes(self, data: bytes) -> None:
        if not self.writable:
            raise not_supported("Writing to the compression stream is not supported.")
        self.wrote = self.wrote or bool(data)
        out = self.engine.compress(data)
        if out:
            self.base.write_bytes(out)

    def flush_stream(self) -> None:
        if self.closed:
            raise disposed(message="Can not access a closed Stream.")
        # the .NET Framework's Flush of a compressing stream writes nothing until the stream is closed

    def close_stream(self) -> None:
        if self.writable and self.wrote:
            self.base.write_bytes(self.engine.flush())
        if not self.leave_open:
            self.base.close()


def _deflate_ctor(self: Any, stream: Stream, mode: Any, leave_open: bool = False) -> None:
    self.build(stream, mode, leave_open)


@net_type("System.IO.Compression.GZipStream")
class GZipStream(_Deflating):
    new = overloads("System.IO.Compression.GZipStream", ".ctor")(
        lambda self, stream, mode, leave_open=False: _deflate_ctor(self, stream, mode, leave_open)
    )

    @prop("BaseStream : IO.Stream get")
    def base_stream(self) -> Any:
        return None if self.closed else self.base


@net_type("System.IO.Compression.DeflateStream")
class DeflateStream(_Deflating):
    window = -15
    new = overloads("System.IO.Compression.DeflateStream", ".ctor")(
        lambda self, stream, mode, leave_open=False: _deflate_ctor(self, stream, mode, leave_open)
    )

    @prop("BaseStream : IO.Stream get")
    def base_stream(self) -> Any:
        return None if self.closed else self.base


# ------------------------------------------------------------------------------------------------------------ readers


@net_type("System.IO.TextReader", interfaces=("IDisposable",))
class TextReader(NetObject):
    """Base of readers. Subclasses give `more()`: the next piece of text, '' at the end."""

    def start(self) -> None:
        self.buffer = ""
        self.ended = False
        self.reader_closed = False

    def more(self) -> str:
        return ""

    def fill(self) -> bool:
        """Whether text is in the buffer, reading on when it is empty."""
        if self.reader_closed:
            raise disposed(message="Cannot read from a closed TextReader.")
        while not self.buffer and not self.ended:
            piece = self.more()
            if piece:
                self.buffer = piece
            else:
                self.ended = True
        return bool(self.buffer)

    @static_prop("Null : IO.TextReader")
    def null() -> TextReader:
        return StringReader("")

    @method("Peek() : Int32")
    def peek(self) -> int:
        return ord(self.buffer[0]) if self.fill() else -1

    @method("Read() : Int32")
    def read(self) -> int:
        if not self.fill():
            return -1
        char, self.buffer = self.buffer[0], self.buffer[1:]
        return ord(char)

    @method("Read(Char[],Int32,Int32) : Int32")
    @method("ReadBlock(Char[],Int32,Int32) : Int32")
    def read_chars(self, target: Any, index: int, count: int) -> int:
        check_buffer(target, index, count)
        read = 0
        while read < count and self.fill():
            piece = self.buffer[: count - read]
            self.buffer = self.buffer[len(piece) :]
            for char in piece:
                target[index + read] = Char(char)
                read += 1
        return read

    @method("ReadLine() : String")
    def read_line(self) -> str | None:
        out = ""
        if not self.fill():
            return None
        while True:
            ends = [position for position in (self.buffer.find("\r"), self.buffer.find("\n")) if position >= 0]
            if ends:
                end = min(ends)
                out += self.buffer[:end]
                mark = self.buffer[end]
                self.buffer = self.buffer[end + 1 :]
                if mark == "\r" and self.fill() and self.buffer[0] == "\n":
                    self.buffer = self.buffer[1:]
                return out
            out += self.buffer
            self.buffer = ""
            if not self.fill():
                return out

    @method("ReadToEnd() : String")
    def read_to_end(self) -> str:
        parts = []
        while self.fill():
            parts.append(self.buffer)
            self.buffer = ""
        return "".join(parts)

    @method("ReadToEndAsync() : Threading.Tasks.Task`1<String>")
    def read_to_end_async(self) -> Task:
        return Task.run(self.read_to_end, "System.String")

    @method("ReadLineAsync() : Threading.Tasks.Task`1<String>")
    def read_line_async(self) -> Task:
        return Task.run(self.read_line, "System.String")

    @method("ReadAsync(Char[],Int32,Int32) : Threading.Tasks.Task`1<Int32>")
    def read_async(self, target: Any, index: int, count: int) -> Task:
        return Task.run(lambda: self.read_chars(target, index, count), "System.Int32")

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.reader_closed = True

    @static("Synchronized(IO.TextReader) : IO.TextReader")
    def synchronized(reader: TextReader) -> TextReader:
        return need(reader, "reader")


@net_type("System.IO.StreamReader")
class StreamReader(TextReader):
    def __init__(
        self, stream: Stream, encoding: Encoding | None = None, detect_marks: bool = True, leave_open: bool = False
    ) -> None:
        self.start()
        need(stream, "stream")
        if not stream.readable:
            raise argument("Stream was not readable.")
        self.stream = stream
        self.encoding = encoding or make_encoding(65001)
        self.detect_marks = detect_marks
        self.leave_open = leave_open
        self.first = True
        self.decoder = self.encoding.new_decoder()

    @ctor("(IO.Stream)")
    def new_stream(self, stream: Stream) -> None:
        self.__init__(stream)

    @ctor("(IO.Stream,Boolean)")
    def new_stream_detect(self, stream: Stream, detect_marks: bool) -> None:
        self.__init__(stream, None, detect_marks)

    @ctor("(IO.Stream,Text.Encoding)")
    @ctor("(IO.Stream,Text.Encoding,Boolean)")
    @ctor("(IO.Stream,Text.Encoding,Boolean,Int32)")
    @ctor("(IO.Stream,Text.Encoding,Boolean,Int32,Boolean)")
    def new_encoding(
        self, stream: Stream, encoding: Encoding, detect_marks: bool = True, size: int = 1024, leave_open: bool = False
    ) -> None:
        self.__init__(stream, need(encoding, "encoding"), detect_marks, leave_open)

    @ctor("(String)")
    @ctor("(String,Boolean)")
    def new_path(self, path: str, detect_marks: bool = True) -> None:
        self.__init__(FileStream(path), None, detect_marks)

    @ctor("(String,Text.Encoding)")
    @ctor("(String,Text.Encoding,Boolean)")
    @ctor("(String,Text.Encoding,Boolean,Int32)")
    def new_path_encoding(self, path: str, encoding: Encoding, detect_marks: bool = True, size: int = 1024) -> None:
        self.__init__(FileStream(path), need(encoding, "encoding"), detect_marks)

    def more(self) -> str:
        while True:
            data = self.stream.read_bytes(1 << 15)
            if self.first:
                self.first = False
                while data and len(data) < 4 and data[0] in (0xEF, 0xFE, 0xFF, 0):
                    rest = self.stream.read_bytes(4 - len(data))
                    if not rest:
                        break
                    data += rest
                found = detect(data) if self.detect_marks else None
                if found is not None:
                    self.encoding = make_encoding(found[0])
                    self.decoder = self.encoding.new_decoder()
                    data = data[found[1] :]
                elif self.encoding.preamble and data.startswith(self.encoding.preamble):
                    data = data[len(self.encoding.preamble) :]
                if not data and found is not None:
                    continue
            text = self.decoder.decode(data, final=not data)
            if text or not data:
                return str(text)

    @prop("BaseStream : IO.Stream get")
    def base_stream(self) -> Stream:
        return self.stream

    @prop("CurrentEncoding : Text.Encoding get")
    def current_encoding(self) -> Encoding:
        return self.encoding

    @prop("EndOfStream : Boolean get")
    def end_of_stream(self) -> bool:
        return not self.fill()

    @method("DiscardBufferedData() : Void")
    def discard_buffered_data(self) -> None:
        self.buffer = ""
        self.ended = False
        self.decoder = self.encoding.new_decoder()

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.reader_closed = True
        if not self.leave_open:
            self.stream.close()


@net_type("System.IO.StringReader")
class StringReader(TextReader):
    def __init__(self, text: str) -> None:
        self.start()
        self.rest = text

    @ctor("(String)")
    def new(self, text: str) -> None:
        self.__init__(need(text, "s"))

    def more(self) -> str:
        text, self.rest = self.rest, ""
        return text


# ------------------------------------------------------------------------------------------------------------ writers


@net_type("System.IO.TextWriter", interfaces=("IDisposable",))
class TextWriter(NetObject):
    """Base of writers. Subclasses implement `put(text)`."""

    new_line = "\r\n"

    def put(self, text: str) -> None:
        pass

    def flush_text(self) -> None:
        pass

    def close_text(self) -> None:
        self.flush_text()

    @static_prop("Null : IO.TextWriter")
    def null() -> TextWriter:
        return TextWriter()

    @prop("Encoding : Text.Encoding get")
    def get_encoding(self) -> Encoding:
        return make_encoding(1200)

    @prop("NewLine : String")
    def get_new_line(self) -> str:
        return self.new_line

    @get_new_line.setter
    def get_new_line(self, value: str | None) -> None:
        self.new_line = "\r\n" if value is None else value

    @prop("FormatProvider : IFormatProvider get")
    def format_provider(self) -> Any:
        from .globalization import current

        return current()

    @overloads("System.IO.TextWriter", "Write", skip=("String,Object", "Char[],Int32"))
    def write(self, value: Any) -> None:
        self.put(_written(value))

    @method("Write(Char[],Int32,Int32) : Void")
    def write_part(self, chars: Any, index: int, count: int) -> None:
        check_buffer(chars, index, count)
        self.put("".join(chars[index : index + count]))

    @overloads("System.IO.TextWriter", "Write", only="String,Object", params=True)
    def write_format(self, template: str, *arguments: Any) -> None:
        self.put(format_composite(need(template, "format"), _flat(arguments)))

    @overloads("System.IO.TextWriter", "WriteLine", skip=("String,Object", "Char[],Int32"))
    def write_line(self, value: Any = "") -> None:
        self.put(_written(value) + self.new_line)

    @method("WriteLine(Char[],Int32,Int32) : Void")
    def write_line_part(self, chars: Any, index: int, count: int) -> None:
        check_buffer(chars, index, count)
        self.put("".join(chars[index : index + count]) + self.new_line)

    @overloads("System.IO.TextWriter", "WriteLine", only="String,Object", params=True)
    def write_line_format(self, template: str, *arguments: Any) -> None:
        self.put(format_composite(need(template, "format"), _flat(arguments)) + self.new_line)

    @overloads("System.IO.TextWriter", "WriteAsync", skip=("Int32",))
    def write_async(self, value: Any) -> Task:
        self.write(value)
        return Task.completed()

    @overloads("System.IO.TextWriter", "WriteLineAsync", skip=("Int32",))
    def write_line_async(self, value: Any = "") -> Task:
        self.write_line(value)
        return Task.completed()

    @method("Flush() : Void")
    def flush(self) -> None:
        self.flush_text()

    @method("FlushAsync() : Threading.Tasks.Task")
    def flush_async(self) -> Task:
        self.flush_text()
        return Task.completed()

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.close_text()

    @static("Synchronized(IO.TextWriter) : IO.TextWriter")
    def synchronized(writer: TextWriter) -> TextWriter:
        return need(writer, "writer")


def _written(value: Any) -> str:
    if value is None:
        return ""
    if (
        isinstance(value, list)
        and not isinstance(value, NetObject)
        and getattr(value, "element_type", None) is get_type("System.Char")
    ):
        return "".join(value)
    return net_string(unwrap(value))


@net_type("System.IO.StreamWriter")
class StreamWriter(TextWriter):
    def __init__(
        self, stream: Stream, encoding: Encoding | None = None, leave_open: bool = False, auto_flush: bool = False
    ) -> None:
        need(stream, "stream")
        if not stream.writable:
            raise argument("Stream was not writable.")
        self.stream = stream
        self.encoding = encoding or UTF8_NO_BOM
        self.leave_open = leave_open
        self.auto = auto_flush
        self.pending: list[str] = []
        self.pending_size = 0
        self.writer_closed = False
        self.mark_due = bool(self.encoding.preamble) and (not stream.seekable or stream.get_position() == 0)

    @ctor("(IO.Stream)")
    def new_stream(self, stream: Stream) -> None:
        self.__init__(stream)

    @ctor("(IO.Stream,Text.Encoding)")
    @ctor("(IO.Stream,Text.Encoding,Int32)")
    @ctor("(IO.Stream,Text.Encoding,Int32,Boolean)")
    def new_encoding(self, stream: Stream, encoding: Encoding, size: int = 1024, leave_open: bool = False) -> None:
        self.__init__(stream, need(encoding, "encoding"), leave_open)

    @ctor("(String)")
    @ctor("(String,Boolean)")
    @ctor("(String,Boolean,Text.Encoding)")
    @ctor("(String,Boolean,Text.Encoding,Int32)")
    def new_path(self, path: str, append: bool = False, encoding: Encoding | None = None, size: int = 1024) -> None:
        stream = FileStream(path, 6 if append else 2, 2, 1)
        self.__init__(stream, encoding)

    def put(self, text: str) -> None:
        if self.writer_closed:
            raise disposed(message="Cannot write to a closed TextWriter.")
        if text:
            self.pending.append(text)
            self.pending_size += len(text)
        if self.auto or self.pending_size > 1 << 16:
            self.flush_text()

    def flush_text(self) -> None:
        if self.writer_closed:
            raise disposed(message="Cannot write to a closed TextWriter.")
        if self.pending or self.mark_due:
            data = self.encoding.encode("".join(self.pending))
            if self.mark_due and data:
                data = self.encoding.preamble + data
            if data:
                self.mark_due = False
                self.stream.write_bytes(data)
            self.pending.clear()
            self.pending_size = 0
        self.stream.flush_stream()

    def close_text(self) -> None:
        if self.writer_closed:
            return
        if self.mark_due and not self.pending and not self.stream.closed:
            self.stream.write_bytes(self.encoding.preamble)
            self.mark_due = False
        if not self.stream.closed:
            self.flush_text()
        self.writer_closed = True
        if not self.leave_open:
            self.stream.close()

    @prop("AutoFlush : Boolean")
    def auto_flush(self) -> bool:
        return self.auto

    @auto_flush.setter
    def auto_flush(self, value: bool) -> None:
        self.auto = value
        if value:
            self.flush_text()

    @prop("BaseStream : IO.Stream get")
    def base_stream(self) -> Stream:
        return self.stream

    @prop("Encoding : Text.Encoding get")
    def get_encoding(self) -> Encoding:
        return self.encoding


@net_type("System.IO.StringWriter")
class StringWriter(TextWriter):
    def __init__(self, builder: StringBuilder | None = None) -> None:
        self.builder = builder or StringBuilder()

    def __str__(self) -> str:
        return self.builder.text

    @ctor("()")
    @ctor("(IFormatProvider)")
    def new(self, provider: Any = None) -> None:
        self.__init__()

    @ctor("(Text.StringBuilder)")
    @ctor("(Text.StringBuilder,IFormatProvider)")
    def new_builder(self, builder: StringBuilder, provider: Any = None) -> None:
        self.__init__(need(builder, "sb"))

    def put(self, text: str) -> None:
        self.builder._add(text)

    @method("GetStringBuilder() : Text.StringBuilder")
    def get_string_builder(self) -> StringBuilder:
        return self.builder

    @method("ToString() : String")
    def to_string(self) -> str:
        return self.builder.text


# ------------------------------------------------------------------------------------------------------------ binary


@net_type("System.IO.BinaryReader", interfaces=("IDisposable",))
class BinaryReader(NetObject):
    @ctor("(IO.Stream)")
    @ctor("(IO.Stream,Text.Encoding)")
    @ctor("(IO.Stream,Text.Encoding,Boolean)")
    def new(self, stream: Stream, encoding: Encoding | None = None, leave_open: bool = False) -> None:
        if not need(stream, "input").readable:
            raise argument("Stream was not readable.")
        self.stream, self.encoding, self.leave_open = stream, encoding or UTF8_NO_BOM, leave_open

    def take(self, count: int) -> bytes:
        data = _PythonStream(self.stream).read(count)
        if len(data) < count:
            raise NetException("System.IO.EndOfStreamException", "Unable to read beyond the end of the stream.")
        return data

    @prop("BaseStream : IO.Stream get")
    def base_stream(self) -> Stream:
        return self.stream

    for _name, _code in {
        "Boolean": "?",
        "Byte": "B",
        "SByte": "b",
        "Int16": "h",
        "UInt16": "H",
        "Int32": "i",
        "UInt32": "I",
        "Int64": "q",
        "UInt64": "Q",
        "Single": "f",
        "Double": "d",
    }.items():
        locals()[f"read_{_name}"] = method(f"Read{_name}() : {_name}")(
            lambda self, _code=_code: struct.unpack("<" + _code, self.take(struct.calcsize("<" + _code)))[0]
        )
    del _name, _code

    @method("ReadBytes(Int32) : Byte[]")
    def read_bytes(self, count: int) -> bytes:
        if count < 0:
            raise out_of_range("count", "Non-negative number required.")
        return _PythonStream(self.stream).read(count)

    @method("Read(Byte[],Int32,Int32) : Int32")
    def read_into(self, buffer: Any, index: int, count: int) -> int:
        return self.stream.read(buffer, index, count)

    def _char(self) -> str | None:
        data = b""
        while True:
            more = self.stream.read_bytes(1)
            if not more:
                return None
            data += more
            text = self.encoding.new_decoder().decode(data)
            if text:
                return str(text)

    @method("ReadChar() : Char")
    def read_char(self) -> Char:
        char = self._char()
        if char is None:
            raise NetException("System.IO.EndOfStreamException", "Unable to read beyond the end of the stream.")
        return Char(char)

    @method("ReadChars(Int32) : Char[]")
    def read_chars(self, count: int) -> list[Char]:
        out: list[Char] = []
        while len(out) < count:
            char = self._char()
            if char is None:
                break
            out.append(Char(char))
        return out

    @method("Read() : Int32")
    def read(self) -> int:
        char = self._char()
        return -1 if char is None else ord(char)

    @method("ReadString() : String")
    def read_string(self) -> str:
        length = shift = 0
        while True:
            byte = self.take(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        return self.encoding.decode(self.take(length))

    @method("ReadDecimal() : Decimal")
    def read_decimal(self) -> Decimal:
        low, middle, high, flags = struct.unpack("<IIII", self.take(16))
        digits = tuple(int(digit) for digit in str(low | middle << 32 | high << 64))
        return Decimal((flags >> 31, digits, -((flags >> 16) & 0xFF)))

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        if not self.leave_open:
            self.stream.close()


@net_type("System.IO.BinaryWriter", interfaces=("IDisposable",))
class BinaryWriter(NetObject):
    @ctor("(IO.Stream)")
    @ctor("(IO.Stream,Text.Encoding)")
    @ctor("(IO.Stream,Text.Encoding,Boolean)")
    def new(self, stream: Stream, encoding: Encoding | None = None, leave_open: bool = False) -> None:
        if not need(stream, "output").writable:
            raise argument("Stream was not writable.")
        self.stream, self.encoding, self.leave_open = stream, encoding or UTF8_NO_BOM, leave_open

    @prop("BaseStream : IO.Stream get")
    def base_stream(self) -> Stream:
        return self.stream

    @overloads("System.IO.BinaryWriter", "Write", skip=("Byte[]", "Char[]", "String", "Decimal"))
    def write(self, value: Any) -> None:
        if isinstance(value, bool):
            data = bytes([int(value)])
        elif isinstance(value, Char):
            data = self.encoding.encode(str(value))
        elif isinstance(value, Single):
            data = struct.pack("<f", value)
        elif isinstance(value, float):
            data = struct.pack("<d", value)
        else:
            codes = {"Byte": "B", "SByte": "b", "Int16": "h", "UInt16": "H", "UInt32": "I", "Int64": "q", "UInt64": "Q"}
            data = struct.pack("<" + codes.get(type(value).__name__, "i"), int(value))
        self.stream.write_bytes(data)

    @method("Write(Decimal) : Void")
    def write_decimal(self, value: Decimal) -> None:
        sign, digits, exponent = value.as_tuple()
        number = int("".join(map(str, digits)))
        scale = -int(exponent)
        self.stream.write_bytes(
            struct.pack("<IIII", number & 0xFFFFFFFF, number >> 32 & 0xFFFFFFFF, number >> 64, sign << 31 | scale << 16)
        )

    @method("Write(String) : Void")
    def write_string(self, text: str) -> None:
        data = self.encoding.encode(need(text, "value"))
        length = len(data)
        prefix = b""
        while length >= 0x80:
            prefix += bytes([length & 0x7F | 0x80])
            length >>= 7
        self.stream.write_bytes(prefix + bytes([length]) + data)

    @method("Write(Byte[]) : Void")
    def write_array(self, data: Any) -> None:
        self.stream.write_bytes(bytes(need(data, "buffer")))

    @method("Write(Byte[],Int32,Int32) : Void")
    def write_part(self, data: Any, index: int, count: int) -> None:
        self.stream.write(data, index, count)

    @method("Write(Char[]) : Void")
    def write_chars(self, chars: Any) -> None:
        self.stream.write_bytes(self.encoding.encode("".join(need(chars, "chars"))))

    @method("Flush() : Void")
    def flush(self) -> None:
        self.stream.flush_stream()

    @method("Seek(Int32,IO.SeekOrigin) : Int64")
    def seek(self, offset: int, origin: EnumValue) -> int:
        return self.stream.seek(offset, origin)

    @method("Close() : Void")
    @method("Dispose() : Void")
    def close(self) -> None:
        self.stream.flush_stream()
        if not self.leave_open:
            self.stream.close()
