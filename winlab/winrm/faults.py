"""What the service answers when it cannot do what is asked: WS-Management faults with Windows' own codes.

The codes and sentences are those of wsmerror.h and of exchanges recorded from Windows Server 2016; every one travels with
HTTP status 500, as Windows sends it.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
_SHELL_PROVIDER = ("Shell cmd plugin", r"%systemroot%\system32\winrscmd.dll")


class Fault(Exception):
    """A WS-Management fault.

    Args:
        code: the number in WSManFault's Code attribute (a Win32 error, an HRESULT or an ERROR_WSMAN_*).
        subcode: qualified name of the fault's kind, e.g. `w:InvalidSelectors`.
        reason: the sentence of s:Reason.
        message: the sentence of f:Message; the reason when left out.
        sender: whose fault it is: True gives s:Sender, False s:Receiver.
        fault_detail: last part of the w:FaultDetail address, where the fault has one.
        provider: the sentence stands in an f:ProviderFault of the cmd shell plugin.
        wmi: the detail is an MSFT_WmiError, as for quotas.
    """

    def __init__(
        self,
        code: int,
        subcode: str,
        reason: str,
        message: str | None = None,
        *,
        sender: bool = True,
        fault_detail: str | None = None,
        provider: bool = False,
        wmi: bool = False,
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.reason = reason
        self.message = reason if message is None else message
        self.sender = sender
        self.fault_detail = fault_detail
        self.provider = provider
        self.wmi = wmi

    def body(self, machine: str) -> str:
        """The s:Fault element; `machine` is the name that the client called the server by."""
        return (
            f"<s:Fault><s:Code><s:Value>{'s:Sender' if self.sender else 's:Receiver'}</s:Value>"
            f"<s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{escape(self.reason)} </s:Text></s:Reason>'
            f"<s:Detail>{self._detail(machine)}</s:Detail></s:Fault>"
        )

    def _detail(self, machine: str) -> str:
        detail = f"<w:FaultDetail>{_DETAIL}{self.fault_detail}</w:FaultDetail>" if self.fault_detail else ""
        if self.wmi:
            return detail + self._wmi_error()
        text = f"{escape(self.message)} "
        if self.provider:
            name, path = _SHELL_PROVIDER
            text = f'<f:ProviderFault provider="{name}" path="{path}">{text}</f:ProviderFault>'
        return (
            f'{detail}<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
            f'Code="{self.code}" Machine={quoteattr(machine)}><f:Message>{text}</f:Message></f:WSManFault>'
        )

    def _wmi_error(self) -> str:
        def element(name: str, kind: str, value: object = None) -> str:
            start = f'<p:{name} xsi:type="cim:{kind}"'
            return f'{start} xsi:nil="true"/>' if value is None else f"{start}>{escape(str(value))}</p:{name}>"

        parts = [
            element("CIMStatusCode", "cimUnsignedInt", 27),
            element("CIMStatusCodeDescription", "cimString"),
            element("ErrorSource", "cimString"),
            element("ErrorSourceFormat", "cimUnsignedShort", 0),
            element("ErrorType", "cimUnsignedShort", 0),
            element("Message", "cimString", self.message + " "),
            element("MessageID", "cimString", f"HRESULT 0x{self.code:08x}"),
            element("OtherErrorSourceFormat", "cimString"),
            element("OtherErrorType", "cimString"),
            element("OwningEntity", "cimString"),
            element("PerceivedSeverity", "cimUnsignedShort", 0),
            element("ProbableCause", "cimUnsignedShort", 0),
            element("ProbableCauseDescription", "cimString"),
            element("error_Category", "cimUnsignedInt", 30),
            element("error_Code", "cimUnsignedInt", self.code),
            element("error_Type", "cimString", "HRESULT"),
            element("error_WindowsErrorMessage", "cimString", self.message + " "),
        ]
        return (
            '<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" '
            'xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError" '
            'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" xsi:type="p:MSFT_WmiError_Type">'
            + "".join(parts)
            + "</p:MSFT_WmiError>"
        )


def timed_out() -> Fault:
    """The operation timeout passed without anything to tell (ERROR_WSMAN_OPERATION_TIMEDOUT)."""
    text = "The WS-Management service cannot complete the operation within the time specified in OperationTimeout. "
    return Fault(2150858793, "w:TimedOut", text, sender=False)


_INVALID_SELECTORS = "The WS-Management service cannot process the request because the request contained invalid selectors for the resource."


def unknown_shell(shell_id: str | None) -> Fault:
    """No shell has this id (any more)."""
    text = (
        "The request for the Windows Remote Shell with ShellId "
        f"{shell_id or ''} failed because the shell was not found on the server. Possible causes are: the specified ShellId "
        "is incorrect or the shell no longer exists on the server. Provide the correct ShellId or create a new shell and "
        "retry the operation."
    )
    return Fault(2150858843, "w:InvalidSelectors", _INVALID_SELECTORS, text, fault_detail="UnexpectedSelectors")


def unknown_command() -> Fault:
    """The shell has no command with this id (any more)."""
    text = (
        "The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. "
        "Either the command has completed execution or the client specified an invalid command identifier."
    )
    return Fault(2150858843, "w:InvalidSelectors", _INVALID_SELECTORS, text, fault_detail="UnexpectedSelectors")


def invalid_parameter() -> Fault:
    """The plugin dislikes a value (ERROR_INVALID_PARAMETER)."""
    return Fault(87, "w:InvalidParameter", "The parameter is incorrect.", provider=True)


def win32(code: int, message: str) -> Fault:
    """A Win32 error that the shell plugin met, as an HRESULT where Windows sends one."""
    return Fault(0x80070000 | code, "w:InternalError", message, sender=False, provider=True)


def busy() -> Fault:
    """Earlier input still stands in the pipe (ERROR_BUSY)."""
    return Fault(170, "w:InternalError", "The requested resource is in use.", sender=False, provider=True)


def pipe_ended() -> Fault:
    """Input for a process that has ended or closed its standard input (ERROR_BROKEN_PIPE)."""
    return Fault(109, "w:InternalError", "The pipe has been ended.", sender=False, provider=True)


def aborted() -> Fault:
    """The operation was cut off because its shell or command went away (ERROR_OPERATION_ABORTED)."""
    text = "The I/O operation has been aborted because of either a thread exit or an application request."
    return Fault(995, "w:InternalError", text, sender=False, provider=True)


def access_denied() -> Fault:
    """Authenticated, but not allowed to use the service (ERROR_ACCESS_DENIED)."""
    return Fault(5, "w:AccessDenied", "Access is denied.")


def shells_quota(limit: int) -> Fault:
    """The user has as many shells as allowed (ERROR_WSMAN_QUOTA_MAX_SHELLS)."""
    text = (
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user."
    )
    return Fault(2150859173, "w:QuotaLimit", text, sender=False, wmi=True)


def operations_quota(limit: int) -> Fault:
    """The user has as many operations as allowed (ERROR_WSMAN_QUOTA_MAX_OPERATIONS)."""
    text = (
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent operations, which has been exceeded. Close existing operations for this user, or raise the "
        "quota for this user."
    )
    return Fault(2150859174, "w:QuotaLimit", text, sender=False, wmi=True)


def users_quota(limit: int) -> Fault:
    """As many different users have shells as allowed (ERROR_WSMAN_QUOTA_MAX_SHELLUSERS)."""
    text = (
        "The WS-Management service cannot process the request. The maximum number of users "
        f"({limit}) executing shell operations has been exceeded. Retry after sometime or raise the quota for concurrent "
        "shell users."
    )
    return Fault(2150859179, "w:QuotaLimit", text, sender=False, wmi=True)


def processes_quota(limit: int) -> Fault:
    """The shell has as many commands as allowed (ERROR_WSMAN_QUOTA_MAX_COMMANDS_PER_SHELL_PPQ)."""
    text = (
        "The Windows Remote Shell cannot process the request. The maximum number of processes per shell "
        f"({limit}) has been exceeded. Wait for existing commands to complete or raise the quota for processes per shell."
    )
    return Fault(2150859241, "w:QuotaLimit", text, sender=False, wmi=True)


def schema(element: str) -> Fault:
    """The XML is not what the operation's schema wants (ERROR_WSMAN_SCHEMA_VALIDATION_ERROR)."""
    text = (
        "The Windows Remote Shell cannot process the request. The SOAP packet contains an element "
        f"{element} that is invalid. Retry the request with the correct XML element."
    )
    reason = (
        "The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML and retry."
    )
    return Fault(2150858817, "w:SchemaValidationError", reason, text)


def not_xml() -> Fault:
    """The body is no well-formed SOAP envelope (ERROR_WSMAN_INVALID_XML)."""
    text = "The XML contains syntax errors. The XML must be corrected before the request can be processed."
    return Fault(2150858819, "w:SchemaValidationError", text)


def small_envelope() -> Fault:
    """The client's MaxEnvelopeSize is below the least that the protocol allows (ERROR_WSMAN_MIN_ENVELOPE_SIZE)."""
    text = (
        "The WS-Management service cannot process the request because the MaxEnvelopeSize header is too small. The minimum "
        "value is 8192."
    )
    return Fault(2150858878, "w:EncodingLimit", text, fault_detail="MinimumEnvelopeLimit")


def unknown_option(name: str) -> Fault:
    """An option that the client insists on and the plugin does not have (ERROR_WSMAN_OPTIONS_INVALID_NAME)."""
    text = (
        f"The WS-Management service cannot process the request. The resource does not support the option {name} that must be "
        "complied with."
    )
    return Fault(2150858834, "w:InvalidOptions", text, fault_detail="InvalidName")


def missing_header(name: str) -> Fault:
    """A header that the operation needs is not there (ERROR_WSMAN_MESSAGE_INFORMATION_HEADER_REQUIRED)."""
    text = f"The WS-Management service cannot process the request because the {name} header is missing or invalid."
    return Fault(2150858769, "a:MessageInformationHeaderRequired", text)


def unsupported_action(action: str) -> Fault:
    """The action is unknown to the resource (ERROR_WSMAN_ACTION_NOT_SUPPORTED)."""
    text = f"The WS-Management service does not support the action {action} of the request."
    return Fault(2150858771, "a:ActionNotSupported", text)


def unknown_resource(uri: str) -> Fault:
    """No plugin serves the resource (ERROR_WSMAN_RESOURCE_NOT_FOUND)."""
    reason = "The WS-Management service cannot process the request because the resource URI is not supported."
    text = (
        f"The WS-Management service cannot process the request. The resource URI ({uri}) was not found in the WS-Management "
        "catalog. The catalog contains the metadata that describes resources, or logical endpoints."
    )
    return Fault(2150858752, "a:DestinationUnreachable", reason, text, fault_detail="InvalidResourceURI")
