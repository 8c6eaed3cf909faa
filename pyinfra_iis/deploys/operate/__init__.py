"""What people ask of servers that run already: status, logs, restart, maintenance, management commands, removal."""
