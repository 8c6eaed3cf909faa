"""Windows servers, simulated at the wire: WinRM, PowerShell, IIS and HttpPlatformHandler in one process."""
