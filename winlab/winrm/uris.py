"""The names on the wire: namespaces, actions, resources, states (MS-WSMV 2.2.1 and 3.1.4, DSP0226)."""

NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "e": "http://schemas.xmlsoap.org/ws/2004/08/eventing",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "cfg": "http://schemas.microsoft.com/wbem/wsman/1/config",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "wsmid": "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd",
}
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"

TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"

ACTIONS = {
    TRANSFER + "Create": "Create",
    TRANSFER + "Delete": "Delete",
    TRANSFER + "Get": "Get",
    TRANSFER + "Put": "Put",
    ENUMERATION + "Enumerate": "Enumerate",
    ENUMERATION + "Pull": "Pull",
    ENUMERATION + "Release": "Release",
    SHELL + "/Command": "Command",
    SHELL + "/Send": "Send",
    SHELL + "/Receive": "Receive",
    SHELL + "/Signal": "Signal",
    SHELL + "/Connect": "Connect",
    SHELL + "/Disconnect": "Disconnect",
    SHELL + "/Reconnect": "Reconnect",
}

SHELL_RESOURCE = SHELL
CMD_RESOURCE = SHELL + "/cmd"
CONFIG_RESOURCE = "http://schemas.microsoft.com/wbem/wsman/1/config"

STATE_DONE = SHELL + "/CommandState/Done"
STATE_RUNNING = SHELL + "/CommandState/Running"

SIGNALS = {
    (SHELL + "/signal/ctrl_c").lower(): "ctrl_c",
    (SHELL + "/signal/ctrl_break").lower(): "ctrl_break",
    (SHELL + "/signal/terminate").lower(): "terminate",
}
