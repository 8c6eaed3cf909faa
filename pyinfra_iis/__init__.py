"""pyinfra for Windows servers: the @winrm connector, IIS operations and the Django deploy."""
