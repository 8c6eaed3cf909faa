"""System.Security.Cryptography: hashes, HMACs, random numbers, AES, key derivation, DPAPI; SecureString."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Any

from winlab.powershell.errors import LabUnsupported, NetException
from winlab.powershell.objects import EnumValue, NetObject, SecureString

from . import context
from .core import api_type, ctor, method, net_type, prop, static
from .declare import argument, need, out_of_range, overloads
from .streams import Stream, check_buffer
from .system import IntPtr


def crypto_error(message: str) -> NetException:
    return NetException("System.Security.Cryptography.CryptographicException", message)


# ------------------------------------------------------------------------------------------------------------ hashes


@net_type("System.Security.Cryptography.HashAlgorithm", interfaces=("IDisposable",))
class HashAlgorithm(NetObject):
    algorithm = "sha1"
    key_bytes: bytes | None = None
    disposed = False

    def setup(self) -> None:
        self.running: Any = None
        self.result: bytes | None = None

    def fresh(self) -> Any:
        if self.disposed:
            raise NetException("System.ObjectDisposedException", "Cannot access a disposed object.")
        if self.key_bytes is not None:
            return hmac.new(self.key_bytes, digestmod=self.algorithm)
        return hashlib.new(self.algorithm, usedforsecurity=False)

    @prop("Hash : Byte[] get")
    def hash(self) -> Any:
        if self.result is None:
            raise NetException(
                "System.Security.Cryptography.CryptographicUnexpectedOperationException",
                "Hash must be finalized before the hash value is retrieved.",
            )
        return self.result

    @prop("HashSize : Int32 get")
    def hash_size(self) -> int:
        return hashlib.new(self.algorithm, usedforsecurity=False).digest_size * 8

    @prop("CanReuseTransform : Boolean get")
    def can_reuse_transform(self) -> bool:
        return True

    @prop("CanTransformMultipleBlocks : Boolean get")
    def can_transform_multiple_blocks(self) -> bool:
        return True

    @prop("InputBlockSize : Int32 get")
    def input_block_size(self) -> int:
        return 1

    @prop("OutputBlockSize : Int32 get")
    def output_block_size(self) -> int:
        return 1

    @method("ComputeHash(Byte[]) : Byte[]")
    def compute_bytes(self, data: Any) -> bytes:
        state = self.fresh()
        state.update(bytes(need(data, "buffer")))
        self.result = state.digest()
        return self.result

    @method("ComputeHash(Byte[],Int32,Int32) : Byte[]")
    def compute_part(self, data: Any, offset: int, count: int) -> bytes:
        check_buffer(data, offset, count)
        state = self.fresh()
        state.update(bytes(memoryview(data)[offset : offset + count]))
        self.result = state.digest()
        return self.result

    @method("ComputeHash(IO.Stream) : Byte[]")
    def compute_stream(self, stream: Stream) -> bytes:
        state = self.fresh()
        need(stream, "inputStream")
        while True:
            context.check()
            data = stream.read_bytes(1 << 20)
            if not data:
                break
            state.update(data)
        self.result = state.digest()
        return self.result

    @method("Initialize() : Void")
    def initialize(self) -> None:
        self.running = None
        self.result = None

    @method("TransformBlock(Byte[],Int32,Int32,Byte[],Int32) : Int32")
    def transform_block(self, data: Any, offset: int, count: int, target: Any, index: int) -> int:
        check_buffer(data, offset, count, "inputBuffer")
        if self.running is None:
            self.running = self.fresh()
        part = bytes(memoryview(data)[offset : offset + count])
        self.running.update(part)
        if target is not None and target is not data:
            target[index : index + count] = part
        return count

    @method("TransformFinalBlock(Byte[],Int32,Int32) : Byte[]")
    def transform_final_block(self, data: Any, offset: int, count: int) -> bytes:
        check_buffer(data, offset, count, "inputBuffer")
        state = self.running or self.fresh()
        part = bytes(memoryview(data)[offset : offset + count])
        state.update(part)
        self.result, self.running = state.digest(), None
        return part

    @method("Clear() : Void")
    @method("Dispose() : Void")
    def dispose(self) -> None:
        self.disposed = True

    @static("Create() : Security.Cryptography.HashAlgorithm")
    def create() -> HashAlgorithm:
        return make_hash("SHA1")

    @static("Create(String) : Security.Cryptography.HashAlgorithm")
    def create_named(name: str) -> HashAlgorithm | None:
        short = need(name, "hashName").rpartition(".")[2].upper().replace("-", "")
        return make_hash(short) if short in _HASHES else None


_HASHES = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
_IMPLEMENTATIONS: dict[str, type[HashAlgorithm]] = {}
SPACE = "System.Security.Cryptography"


def _declare_hash(name: str, algorithm: str) -> None:
    def create(*arguments: Any) -> HashAlgorithm:
        return make_hash(name)

    base = net_type(f"{SPACE}.{name}")(
        type(name, (HashAlgorithm,), {"algorithm": algorithm, "create": overloads(f"{SPACE}.{name}", "Create")(create)})
    )
    for suffix in ("Managed", "CryptoServiceProvider", "Cng"):
        full = f"{SPACE}.{name}{suffix}"
        if api_type(full) is None:
            continue

        def new(self: Any) -> None:
            self.setup()

        made = net_type(full)(type(f"{name}{suffix}", (base,), {"new": ctor("()")(new)}))
        if name not in _IMPLEMENTATIONS:
            _IMPLEMENTATIONS[name] = made


for _name, _algorithm in _HASHES.items():
    _declare_hash(_name, _algorithm)


def make_hash(name: str) -> HashAlgorithm:
    cls = _IMPLEMENTATIONS[name]
    made = cls.__new__(cls)
    made.setup()
    return made


def _declare_hmac(name: str) -> None:
    algorithm = _HASHES[name]

    def new(self: Any, key: Any = None, *more: Any) -> None:
        self.setup()
        self.key_bytes = bytes(key) if key is not None else os.urandom(64)

    def get_key(self: Any) -> bytes:
        return bytes(self.key_bytes)

    def set_key(self: Any, value: Any) -> None:
        self.key_bytes = bytes(need(value, "value"))

    full = f"{SPACE}.HMAC{name}"
    net_type(full)(
        type(
            f"HMAC{name}",
            (HashAlgorithm,),
            {
                "algorithm": algorithm,
                "new": overloads(full, ".ctor")(new),
                "key": prop("Key : Byte[]")(get_key).setter(set_key),
            },
        )
    )


for _name in _HASHES:
    _declare_hmac(_name)


# ------------------------------------------------------------------------------------------------------------ random numbers


@net_type(f"{SPACE}.RandomNumberGenerator", interfaces=("IDisposable",))
class RandomNumberGenerator(NetObject):
    @overloads(f"{SPACE}.RandomNumberGenerator", "Create")
    def create(*arguments: Any) -> RandomNumberGenerator:
        return RNGCryptoServiceProvider()

    @method("GetBytes(Byte[]) : Void")
    def get_bytes(self, data: Any) -> None:
        need(data, "data")[:] = os.urandom(len(data))

    @method("GetBytes(Byte[],Int32,Int32) : Void")
    def get_bytes_part(self, data: Any, offset: int, count: int) -> None:
        check_buffer(data, offset, count, "data")
        data[offset : offset + count] = os.urandom(count)

    @method("GetNonZeroBytes(Byte[]) : Void")
    def get_non_zero_bytes(self, data: Any) -> None:
        need(data, "data")[:] = bytes(item % 255 + 1 for item in os.urandom(len(data)))

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


@net_type(f"{SPACE}.RNGCryptoServiceProvider")
class RNGCryptoServiceProvider(RandomNumberGenerator):
    @ctor("()")
    def new(self) -> None:
        pass


# ------------------------------------------------------------------------------------------------------------ AES


@net_type(f"{SPACE}.SymmetricAlgorithm", interfaces=("IDisposable",))
class SymmetricAlgorithm(NetObject):
    def setup(self) -> None:
        self.key_size = 256
        self.key_data: bytes | None = None
        self.iv_data: bytes | None = None
        self.mode, self.padding = 1, 2

    @prop("BlockSize : Int32")
    def block_size(self) -> int:
        return 128

    @block_size.setter
    def block_size(self, value: int) -> None:
        if value != 128:
            raise crypto_error("Specified block size is not valid for this algorithm.")

    @prop("KeySize : Int32")
    def get_key_size(self) -> int:
        return self.key_size

    @get_key_size.setter
    def get_key_size(self, value: int) -> None:
        if value not in (128, 192, 256):
            raise crypto_error("Specified key is not a valid size for this algorithm.")
        self.key_size, self.key_data = value, None

    @prop("Key : Byte[]")
    def key(self) -> bytes:
        if self.key_data is None:
            self.key_data = os.urandom(self.key_size // 8)
        return self.key_data

    @key.setter
    def key(self, value: Any) -> None:
        if len(need(value, "value")) not in (16, 24, 32):
            raise crypto_error("Specified key is not a valid size for this algorithm.")
        self.key_data, self.key_size = bytes(value), len(value) * 8

    @prop("IV : Byte[]")
    def iv(self) -> bytes:
        if self.iv_data is None:
            self.iv_data = os.urandom(16)
        return self.iv_data

    @iv.setter
    def iv(self, value: Any) -> None:
        if len(need(value, "value")) != 16:
            raise crypto_error("Specified initialization vector (IV) does not match the block size for this algorithm.")
        self.iv_data = bytes(value)

    @prop("Mode : Security.Cryptography.CipherMode")
    def get_mode(self) -> int:
        return self.mode

    @get_mode.setter
    def get_mode(self, value: EnumValue) -> None:
        if value.value not in (1, 2):
            raise LabUnsupported(f"the cipher mode {value.name}")
        self.mode = value.value

    @prop("Padding : Security.Cryptography.PaddingMode")
    def get_padding(self) -> int:
        return self.padding

    @get_padding.setter
    def get_padding(self, value: EnumValue) -> None:
        if value.value not in (1, 2, 3):
            raise LabUnsupported(f"the padding {value.name}")
        self.padding = value.value

    @method("GenerateKey() : Void")
    def generate_key(self) -> None:
        self.key_data = os.urandom(self.key_size // 8)

    @method("GenerateIV() : Void")
    def generate_iv(self) -> None:
        self.iv_data = os.urandom(16)

    @method("ValidKeySize(Int32) : Boolean")
    def valid_key_size(self, bits: int) -> bool:
        return bits in (128, 192, 256)

    @method("CreateEncryptor() : Security.Cryptography.ICryptoTransform")
    @method("CreateEncryptor(Byte[],Byte[]) : Security.Cryptography.ICryptoTransform")
    def create_encryptor(self, key: Any = None, iv: Any = None) -> CryptoTransform:
        return CryptoTransform(
            bytes(key) if key is not None else self.key,
            bytes(iv) if iv is not None else self.iv,
            self.mode,
            self.padding,
            True,
        )

    @method("CreateDecryptor() : Security.Cryptography.ICryptoTransform")
    @method("CreateDecryptor(Byte[],Byte[]) : Security.Cryptography.ICryptoTransform")
    def create_decryptor(self, key: Any = None, iv: Any = None) -> CryptoTransform:
        return CryptoTransform(
            bytes(key) if key is not None else self.key,
            bytes(iv) if iv is not None else self.iv,
            self.mode,
            self.padding,
            False,
        )

    @method("Clear() : Void")
    @method("Dispose() : Void")
    def dispose(self) -> None:
        self.key_data = self.iv_data = None


@net_type(f"{SPACE}.Aes")
class Aes(SymmetricAlgorithm):
    @overloads(f"{SPACE}.Aes", "Create")
    def create(*arguments: Any) -> Aes:
        made = AesCryptoServiceProvider.__new__(AesCryptoServiceProvider)
        made.setup()
        return made


@net_type(f"{SPACE}.AesCryptoServiceProvider")
class AesCryptoServiceProvider(Aes):
    @ctor("()")
    def new(self) -> None:
        self.setup()


@net_type(f"{SPACE}.AesManaged")
class AesManaged(Aes):
    @ctor("()")
    def new(self) -> None:
        self.setup()


@net_type(f"{SPACE}.RijndaelManaged", base=f"{SPACE}.SymmetricAlgorithm")
class RijndaelManaged(SymmetricAlgorithm):
    @ctor("()")
    def new(self) -> None:
        self.setup()


@net_type(f"{SPACE}.CryptoAPITransform", interfaces=("IDisposable",))
class CryptoTransform(NetObject):
    """An encryptor or decryptor of AES."""

    def __init__(self, key: bytes, iv: bytes, mode: int, padding: int, encrypt: bool) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        cipher = Cipher(algorithms.AES(key), modes.CBC(iv) if mode == 1 else modes.ECB())
        self.context = cipher.encryptor() if encrypt else cipher.decryptor()
        self.padding, self.encrypt = padding, encrypt
        self.restart = lambda: cipher.encryptor() if encrypt else cipher.decryptor()

    @prop("CanReuseTransform : Boolean get")
    def can_reuse_transform(self) -> bool:
        return True

    @prop("CanTransformMultipleBlocks : Boolean get")
    def can_transform_multiple_blocks(self) -> bool:
        return True

    @prop("InputBlockSize : Int32 get")
    def input_block_size(self) -> int:
        return 16

    @prop("OutputBlockSize : Int32 get")
    def output_block_size(self) -> int:
        return 16

    @method("TransformBlock(Byte[],Int32,Int32,Byte[],Int32) : Int32")
    def transform_block(self, data: Any, offset: int, count: int, target: Any, index: int) -> int:
        out = self.context.update(bytes(memoryview(data)[offset : offset + count]))
        target[index : index + len(out)] = out
        return len(out)

    def finish(self, data: bytes) -> bytes:
        if self.encrypt:
            pad = 16 - len(data) % 16
            if self.padding == 2:
                data += bytes([pad]) * pad
            elif self.padding == 3 and pad != 16:
                data += bytes(pad)
            elif self.padding == 1 and pad != 16:
                raise crypto_error("Length of the data to encrypt is invalid.")
            out = self.context.update(data) + self.context.finalize()
        else:
            if len(data) % 16:
                raise crypto_error("Length of the data to decrypt is invalid.")
            out = self.context.update(data) + self.context.finalize()
            if self.padding == 2 and out:
                pad = out[-1]
                if not 1 <= pad <= 16 or out[-pad:] != bytes([pad]) * pad:
                    raise crypto_error("Padding is invalid and cannot be removed.")
                out = out[:-pad]
        self.context = self.restart()
        return out

    @method("TransformFinalBlock(Byte[],Int32,Int32) : Byte[]")
    def transform_final_block(self, data: Any, offset: int, count: int) -> bytes:
        check_buffer(data, offset, count, "inputBuffer")
        return self.finish(bytes(memoryview(data)[offset : offset + count]))

    @method("Dispose() : Void")
    def dispose(self) -> None:
        pass


@net_type(f"{SPACE}.Rfc2898DeriveBytes")
class Rfc2898DeriveBytes(NetObject):
    @overloads(f"{SPACE}.Rfc2898DeriveBytes", ".ctor")
    def new(self, password: Any, salt: Any, iterations: int = 1000) -> None:
        self.password = password.encode("utf-8") if isinstance(password, str) else bytes(need(password, "password"))
        self.salt = os.urandom(salt) if isinstance(salt, int) else bytes(need(salt, "salt"))
        if len(self.salt) < 8:
            raise argument("Salt is not at least eight bytes.")
        self.iterations, self.given = iterations, 0

    @method("GetBytes(Int32) : Byte[]")
    def get_bytes(self, count: int) -> bytes:
        if count <= 0:
            raise out_of_range("cb", "Positive number required.")
        data = hashlib.pbkdf2_hmac("sha1", self.password, self.salt, self.iterations, self.given + count)[self.given :]
        self.given += count
        return data

    @prop("Salt : Byte[]")
    def get_salt(self) -> bytes:
        return self.salt

    @prop("IterationCount : Int32")
    def iteration_count(self) -> int:
        return self.iterations


# ------------------------------------------------------------------------------------------------------------ DPAPI

DPAPI_HEADER = bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb")


def protect(data: bytes, scope: str, entropy: bytes = b"") -> bytes:
    """Data sealed for a user of this server (or the server); the lab's own format behind DPAPI's header."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    return DPAPI_HEADER + nonce + AESGCM(_dpapi_key(scope)).encrypt(nonce, data, entropy)


def unprotect(data: bytes, scope: str, entropy: bytes = b"") -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = len(DPAPI_HEADER)
    if not data.startswith(DPAPI_HEADER):
        raise crypto_error("The data is invalid.\r\n")
    try:
        return AESGCM(_dpapi_key(scope)).decrypt(data[head : head + 12], data[head + 12 :], entropy)
    except InvalidTag:
        raise crypto_error("Key not valid for use in specified state.\r\n") from None


def _dpapi_key(scope: str) -> bytes:
    server, user = context.machine(), context.user()
    owner = "machine" if scope == "LocalMachine" else (user.sid if user is not None else "S-1-5-18")
    return hashlib.sha256(f"{server.accounts.machine_sid} {owner}".encode()).digest()


@net_type(f"{SPACE}.ProtectedData")
class ProtectedData:
    """System.Security.Cryptography.ProtectedData"""

    @static("Protect(Byte[],Byte[],Security.Cryptography.DataProtectionScope) : Byte[]")
    def protect(data: Any, entropy: Any, scope: EnumValue) -> bytes:
        return protect(bytes(need(data, "userData")), scope.name, bytes(entropy or b""))

    @static("Unprotect(Byte[],Byte[],Security.Cryptography.DataProtectionScope) : Byte[]")
    def unprotect(data: Any, entropy: Any, scope: EnumValue) -> bytes:
        return unprotect(bytes(need(data, "encryptedData")), scope.name, bytes(entropy or b""))


# ------------------------------------------------------------------------------------------------------------ SecureString


@net_type("System.Security.SecureString", python=SecureString, interfaces=("IDisposable",))
class SecureStringType:
    """System.Security.SecureString"""

    @ctor("()")
    def new() -> SecureString:
        return SecureString("")

    @prop("Length : Int32 get")
    def length(self: SecureString) -> int:
        return len(self.text)

    def _writable(self: SecureString) -> None:
        if self.__dict__.get("read_only"):
            raise NetException("System.InvalidOperationException", "Instance is read-only.")

    @method("AppendChar(Char) : Void")
    def append_char(self: SecureString, char: str) -> None:
        SecureStringType._writable(self)
        self.text += str(char)

    @method("InsertAt(Int32,Char) : Void")
    def insert_at(self: SecureString, index: int, char: str) -> None:
        SecureStringType._writable(self)
        self.text = self.text[:index] + str(char) + self.text[index:]

    @method("RemoveAt(Int32) : Void")
    def remove_at(self: SecureString, index: int) -> None:
        SecureStringType._writable(self)
        self.text = self.text[:index] + self.text[index + 1 :]

    @method("SetAt(Int32,Char) : Void")
    def set_at(self: SecureString, index: int, char: str) -> None:
        SecureStringType._writable(self)
        self.text = self.text[:index] + str(char) + self.text[index + 1 :]

    @method("Clear() : Void")
    def clear(self: SecureString) -> None:
        SecureStringType._writable(self)
        self.text = ""

    @method("Copy() : Security.SecureString")
    def copy(self: SecureString) -> SecureString:
        return SecureString(self.text)

    @method("IsReadOnly() : Boolean")
    def is_read_only(self: SecureString) -> bool:
        return bool(self.__dict__.get("read_only"))

    @method("MakeReadOnly() : Void")
    def make_read_only(self: SecureString) -> None:
        self.__dict__["read_only"] = True

    @method("Dispose() : Void")
    def dispose(self: SecureString) -> None:
        self.text = ""


def seal_secure_string(secure: SecureString, key: bytes | None) -> str:
    """`ConvertFrom-SecureString`: DPAPI data in hexadecimal, or with a key the versioned AES form."""
    data = secure.text.encode("utf-16-le")
    if key is None:
        return protect(data, "CurrentUser").hex()
    iv = os.urandom(16)
    body = CryptoTransform(key, iv, 1, 2, True).finish(data)
    text = f"2|{base64.b64encode(iv).decode()}|{body.hex()}"
    return _SECURE_HEADER + base64.b64encode(text.encode("utf-16-le")).decode()


_SECURE_HEADER = "76492d1116743f0423413b16050a5345"


def open_secure_string(text: str, key: bytes | None) -> SecureString:
    """`ConvertTo-SecureString` of what :func:`seal_secure_string` wrote."""
    if key is None:
        try:
            return SecureString(unprotect(bytes.fromhex(text), "CurrentUser").decode("utf-16-le"))
        except ValueError:
            raise NetException("System.FormatException", "Input string was not in a correct format.") from None
    if not text.startswith(_SECURE_HEADER):
        raise crypto_error("The input string was not in a correct format.")
    _, iv, body = base64.b64decode(text[len(_SECURE_HEADER) :]).decode("utf-16-le").split("|")
    plain = CryptoTransform(key, base64.b64decode(iv), 1, 2, False).finish(bytes.fromhex(body))
    return SecureString(plain.decode("utf-16-le"))


@net_type("System.Runtime.InteropServices.Marshal")
class Marshal:
    """The members that read a SecureString, and COM releases that do nothing."""

    @static("SecureStringToBSTR(Security.SecureString) : IntPtr")
    @static("SecureStringToGlobalAllocUnicode(Security.SecureString) : IntPtr")
    @static("SecureStringToCoTaskMemUnicode(Security.SecureString) : IntPtr")
    def secure_to_pointer(secure: SecureString) -> IntPtr:
        table: dict[int, str] = context.per_process("unmanaged text", dict)
        address = 0x1F0000000 + len(table) * 0x100 + 0x100
        table[address] = need(secure, "s").text
        return IntPtr(address)

    @static("PtrToStringBSTR(IntPtr) : String")
    @static("PtrToStringAuto(IntPtr) : String")
    @static("PtrToStringUni(IntPtr) : String")
    def pointer_to_text(pointer: IntPtr) -> str | None:
        if not pointer.value:
            return None
        found = context.per_process("unmanaged text", dict).get(pointer.value)
        if found is None:
            raise LabUnsupported("unmanaged memory")
        return str(found)

    @static("ZeroFreeBSTR(IntPtr) : Void")
    @static("ZeroFreeGlobalAllocUnicode(IntPtr) : Void")
    @static("ZeroFreeCoTaskMemUnicode(IntPtr) : Void")
    @static("FreeBSTR(IntPtr) : Void")
    def free(pointer: IntPtr) -> None:
        context.per_process("unmanaged text", dict).pop(pointer.value, None)

    @static("ReleaseComObject(Object) : Int32")
    @static("FinalReleaseComObject(Object) : Int32")
    def release_com_object(value: Any) -> int:
        return 0
