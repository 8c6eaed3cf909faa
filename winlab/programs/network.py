"""ipconfig, ping, netstat: what they tell of a simulated server's one network adapter."""

from __future__ import annotations

import ipaddress
import re
import socket

from winlab.windows.native import listening_sockets
from winlab.windows.processes import ProgramContext


def ipconfig(ctx: ProgramContext) -> int:
    """Without options, /all, /flushdns."""
    option = ctx.argv[1].lower().replace("-", "/", 1) if len(ctx.argv) > 1 else ""
    machine = ctx.machine
    if option == "/flushdns":
        ctx.out("\nWindows IP Configuration\n\nSuccessfully flushed the DNS Resolver Cache.\n")
        return 0
    if option not in ("", "/all"):
        return ctx.fail(
            f"\nError: unrecognized or incomplete command line: {ctx.argv[1]} is not simulated by this lab."
        )
    ctx.out("\nWindows IP Configuration\n\n")
    address = ipaddress.ip_address(machine.address)
    if option == "/all":
        mac = "-".join(f"{byte:02X}" for byte in (0x02, 0x15, *address.packed))
        ctx.out(
            f"   Host Name . . . . . . . . . . . . : {machine.name}\n   Primary Dns Suffix  . . . . . . . : \n"
            "   Node Type . . . . . . . . . . . . : Hybrid\n   IP Routing Enabled. . . . . . . . : No\n   WINS Proxy Enabled. . . . . . . . : No\n\n"
            "Ethernet adapter Ethernet:\n\n   Connection-specific DNS Suffix  . : \n"
            f"   Description . . . . . . . . . . . : winlab Network Adapter\n   Physical Address. . . . . . . . . : {mac}\n"
            "   DHCP Enabled. . . . . . . . . . . : No\n   Autoconfiguration Enabled . . . . : Yes\n"
            f"   IPv4 Address. . . . . . . . . . . : {machine.address}(Preferred) \n   Subnet Mask . . . . . . . . . . . : 255.0.0.0\n"
            "   Default Gateway . . . . . . . . . : \n   NetBIOS over Tcpip. . . . . . . . : Enabled\n"
        )
        return 0
    ctx.out(
        "\nEthernet adapter Ethernet:\n\n   Connection-specific DNS Suffix  . : \n"
        f"   IPv4 Address. . . . . . . . . . . : {machine.address}\n   Subnet Mask . . . . . . . . . . . : 255.0.0.0\n   Default Gateway . . . . . . . . . : \n"
    )
    return 0


def ping(ctx: ProgramContext) -> int:
    """-n, -w, -4, -l; loopback addresses answer, others time out."""
    count, timeout, target = 4, 4000, ""
    arguments = ctx.argv[1:]
    index = 0
    while index < len(arguments):
        option = arguments[index].lower().replace("/", "-", 1)
        if option in ("-n", "-w", "-l", "-i") and index + 1 < len(arguments):
            if not arguments[index + 1].isdigit():
                return ctx.fail(f"Bad value for option {arguments[index]}.")
            count = int(arguments[index + 1]) if option == "-n" else count
            timeout = int(arguments[index + 1]) if option == "-w" else timeout
            index += 1
        elif option == "-4":
            pass
        elif option.startswith("-"):
            return ctx.fail(f"Bad option {arguments[index]}: not simulated by this lab.")
        else:
            target = arguments[index]
        index += 1
    if not target:
        return ctx.fail("IP address must be specified.")
    address = _resolve(ctx, target)
    if address is None:
        ctx.out(f"Ping request could not find host {target}. Please check the name and try again.\n")
        return 1
    shown = address if address == target else f"{target} [{address}]"
    ctx.out(f"\nPinging {shown} with 32 bytes of data:\n")
    answers = ipaddress.ip_address(address).is_loopback
    for number in range(count):
        if number:
            ctx.sleep(1)
        if answers:
            ctx.out(f"Reply from {address}: bytes=32 time<1ms TTL=128\n")
        else:
            ctx.sleep(timeout / 1000)
            ctx.out("Request timed out.\n")
    received = count if answers else 0
    loss = 0 if answers else 100
    ctx.out(
        f"\nPing statistics for {address}:\n    Packets: Sent = {count}, Received = {received}, Lost = {count - received} ({loss}% loss),\n"
    )
    if answers:
        ctx.out("Approximate round trip times in milli-seconds:\n    Minimum = 0ms, Maximum = 0ms, Average = 0ms\n")
    return 0 if answers else 1


def _resolve(ctx: ProgramContext, name: str) -> str | None:
    if name.lower() in ("localhost", "127.0.0.1"):
        return "127.0.0.1"
    if name.upper() == ctx.machine.name:
        return ctx.machine.address
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return socket.gethostbyname(name)
    except OSError:
        return None


def netstat(ctx: ProgramContext) -> int:
    """-a -n -o (together or apart): the listening TCP sockets of the server and of its processes."""
    letters = "".join(argument[1:].lower() for argument in ctx.argv[1:] if argument[:1] in "-/")
    unknown = re.sub(r"[anoptcp]", "", letters)
    if unknown:
        return ctx.fail(f"netstat -{unknown[0]} is not simulated by this lab.")
    ctx.out(
        "\nActive Connections\n\n  Proto  Local Address          Foreign Address        State"
        + ("           PID" if "o" in letters else "")
        + "\n"
    )
    for address, port, pid in listening_sockets(ctx.machine):
        line = f"  TCP    {f'{address}:{port}':<22} {'0.0.0.0:0':<22} LISTENING"
        ctx.out(line + (f"       {pid}" if "o" in letters else "") + "\n")
    return 0
