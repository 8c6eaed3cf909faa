"""Microsoft.Web.Administration as a script sees it: the configuration system of `config.py` under the names of Microsoft's API.

A thin skin: every object holds one `Element`, `Collection` or `Session` of the configuration system, converts values to the .NET types that the real
assembly boxes (enum -> Int32, uint -> Int64) and turns `ConfigError` into the exception that .NET makes of its HRESULT.
"""

from __future__ import annotations

from winlab.iis.mwa.elements import ConfigurationElementNet, wrap, wrap_collection
from winlab.iis.mwa.manager import ServerManager
from winlab.iis.mwa.values import ASSEMBLY, DLL, MWA, from_net, refusals, to_net

__all__ = [
    "ASSEMBLY",
    "DLL",
    "MWA",
    "ConfigurationElementNet",
    "ServerManager",
    "from_net",
    "refusals",
    "to_net",
    "wrap",
    "wrap_collection",
]
