"""Win32 error codes as the simulated kernel raises them, with the English system messages (FormatMessage)."""

from __future__ import annotations

MESSAGES: dict[int, str] = {
    0: "The operation completed successfully.",
    1: "Incorrect function.",
    2: "The system cannot find the file specified.",
    3: "The system cannot find the path specified.",
    5: "Access is denied.",
    6: "The handle is invalid.",
    8: "Not enough memory resources are available to process this command.",
    13: "The data is invalid.",
    14: "Not enough memory resources are available to complete this operation.",
    15: "The system cannot find the drive specified.",
    16: "The directory cannot be removed.",
    17: "The system cannot move the file to a different disk drive.",
    18: "There are no more files.",
    19: "The media is write protected.",
    21: "The device is not ready.",
    32: "The process cannot access the file because it is being used by another process.",
    33: "The process cannot access the file because another process has locked a portion of the file.",
    38: "Reached the end of the file.",
    50: "The request is not supported.",
    53: "The network path was not found.",
    67: "The network name cannot be found.",
    80: "The file exists.",
    86: "The specified network password is not correct.",
    87: "The parameter is incorrect.",
    109: "The pipe has been ended.",
    110: "The system cannot open the device or file specified.",
    112: "There is not enough space on the disk.",
    121: "The semaphore timeout period has expired.",
    122: "The data area passed to a system call is too small.",
    123: "The filename, directory name, or volume label syntax is incorrect.",
    126: "The specified module could not be found.",
    127: "The specified procedure could not be found.",
    128: "There are no child processes to wait for.",
    131: "An attempt was made to move the file pointer before the beginning of the file.",
    144: "The directory is not a subdirectory of the root directory.",
    145: "The directory is not empty.",
    161: "The specified path is invalid.",
    170: "The requested resource is in use.",
    183: "Cannot create a file when that file already exists.",
    193: "%1 is not a valid Win32 application.",
    203: "The system could not find the environment option that was entered.",
    206: "The filename or extension is too long.",
    216: (
        "This version of %1 is not compatible with the version of Windows you're running. Check your computer's system "
        "information and then contact the software publisher."
    ),
    231: "All pipe instances are busy.",
    232: "The pipe is being closed.",
    233: "No process is on the other end of the pipe.",
    234: "More data is available.",
    258: "The wait operation timed out.",
    259: "No more data is available.",
    267: "The directory name is invalid.",
    995: "The I/O operation has been aborted because of either a thread exit or an application request.",
    998: "Invalid access to memory location.",
    1009: "The configuration registry database is corrupt.",
    1010: "The configuration registry key is invalid.",
    1018: "Illegal operation attempted on a registry key that has been marked for deletion.",
    1020: "Cannot create a symbolic link in a registry key that already has subkeys or values.",
    1051: "A stop control has been sent to a service that other running services are dependent on.",
    1052: "The requested control is not valid for this service.",
    1053: "The service did not respond to the start or control request in a timely fashion.",
    1056: "An instance of the service is already running.",
    1057: "The account name is invalid or does not exist, or the password is invalid for the account name specified.",
    1058: (
        "The service cannot be started, either because it is disabled or because it has no enabled devices associated "
        "with it."
    ),
    1060: "The specified service does not exist as an installed service.",
    1061: "The service cannot accept control messages at this time.",
    1062: "The service has not been started.",
    1067: "The process terminated unexpectedly.",
    1068: "The dependency service or group failed to start.",
    1069: "The service did not start due to a logon failure.",
    1072: "The specified service has been marked for deletion.",
    1073: "The specified service already exists.",
    1075: "The dependency service does not exist or has been marked for deletion.",
    1115: "A system shutdown is in progress.",
    1116: "Unable to abort the system shutdown because no shutdown was in progress.",
    1142: "An attempt was made to create more links on a file than the file system supports.",
    1168: "Element not found.",
    1190: "A system shutdown has already been scheduled.",
    1219: (
        "Multiple connections to a server or shared resource by the same user, using more than one user name, are not "
        "allowed. Disconnect all previous connections to the server or shared resource and try again."
    ),
    1223: "The operation was canceled by the user.",
    1307: "This security ID may not be assigned as the owner of this object.",
    1312: "A specified logon session does not exist. It may already have been terminated.",
    1314: "A required privilege is not held by the client.",
    1316: "The specified account already exists.",
    1317: "The specified account does not exist.",
    1319: "The specified group does not exist.",
    1325: (
        "Unable to update the password. The value provided for the new password does not meet the length, complexity, "
        "or history requirements of the domain."
    ),
    1326: "The user name or password is incorrect.",
    1327: (
        "Account restrictions are preventing this user from signing in. For example: blank passwords aren't allowed, "
        "sign-in times are limited, or a policy restriction has been enforced."
    ),
    1331: "This user can't sign in because this account is currently disabled.",
    1332: "No mapping between account names and security IDs was done.",
    1337: "The security ID structure is invalid.",
    1338: "The security descriptor structure is invalid.",
    1355: "The specified domain either does not exist or could not be contacted.",
    1376: "The specified local group does not exist.",
    1377: "The specified account name is not a member of the group.",
    1378: "The specified account name is already a member of the group.",
    1379: "The specified local group already exists.",
    1385: "Logon failure: the user has not been granted the requested logon type at this computer.",
    1387: "A member could not be added to or removed from the local group because the member does not exist.",
    1392: "The file or directory is corrupted and unreadable.",
    1460: "This operation returned because the timeout period expired.",
    1601: "The Windows Installer Service could not be accessed.",
    1602: "User cancelled installation.",
    1603: "Fatal error during installation.",
    1605: "This action is only valid for products that are currently installed.",
    1618: (
        "Another installation is already in progress. Complete that installation before proceeding with this install."
    ),
    1619: (
        "This installation package could not be opened. Verify that the package exists and that you can access it, or "
        "contact the application vendor to verify that this is a valid Windows Installer package."
    ),
    1620: (
        "This installation package could not be opened. Contact the application vendor to verify that this is a valid "
        "Windows Installer package."
    ),
    1625: "This installation is forbidden by system policy. Contact your system administrator.",
    1638: (
        "Another version of this product is already installed. Installation of this version cannot continue. To "
        "configure or remove the existing version of this product, use Add/Remove Programs on the Control Panel."
    ),
    1639: ("Invalid command line argument. Consult the Windows Installer SDK for detailed command line help."),
    1641: "The installer has initiated a restart.",
    1707: "The network address is invalid.",
    1722: "The RPC server is unavailable.",
    1784: "The supplied user buffer is not valid for the requested operation.",
    2202: "The specified username is invalid.",
    2220: "The group name could not be found.",
    2221: "The user name could not be found.",
    2223: "The group already exists.",
    2224: "The account already exists.",
    2245: (
        "The password does not meet the password policy requirements. Check the minimum password length, password "
        "complexity and password history requirements."
    ),
    3010: "The requested operation is successful. Changes will not be effective until the system is rebooted.",
    4390: "The file or directory is not a reparse point.",
    10013: "An attempt was made to access a socket in a way forbidden by its access permissions.",
    10048: "Only one usage of each socket address (protocol/network address/port) is normally permitted.",
}

FILE_NOT_FOUND = 2
PATH_NOT_FOUND = 3
ACCESS_DENIED = 5
SHARING_VIOLATION = 32
FILE_EXISTS = 80
INVALID_PARAMETER = 87
BROKEN_PIPE = 109
DISK_FULL = 112
INVALID_NAME = 123
DIR_NOT_EMPTY = 145
ALREADY_EXISTS = 183
BAD_EXE_FORMAT = 193
FILENAME_EXCED_RANGE = 206
NO_DATA = 232
DIRECTORY = 267
PRIVILEGE_NOT_HELD = 1314


def system_message(code: int) -> str:
    """The English text Windows has for a Win32 error code."""
    return MESSAGES.get(code, f"Unknown error ({code:#x})")


class WindowsError(Exception):
    """A refusal of the simulated kernel.

    code: the Win32 error code; message: the system's English text unless another is given; path: the Windows path concerned, if any.
    """

    def __init__(self, code: int, message: str | None = None, path: str | None = None) -> None:
        self.code = code
        self.message = message if message is not None else system_message(code)
        self.path = path
        super().__init__(code, self.message, path)

    def __str__(self) -> str:
        return f"{self.message} ({self.path})" if self.path else self.message

    @property
    def hresult(self) -> int:
        """HRESULT_FROM_WIN32 as a signed 32-bit number."""
        value = 0x80070000 | (self.code & 0xFFFF) if self.code else 0
        return value - (1 << 32) if value & 0x80000000 else value


class ProcessKilled(BaseException):
    """Raised inside a simulated program when its process has been terminated. Not an Exception, so that no handler swallows it."""
