"""``@winrm`` for pyinfra: Windows servers over WinRM, one PowerShell process per connection."""

from .winrm import SafeToRepeat, WinRMConnector

__all__ = ["SafeToRepeat", "WinRMConnector"]
