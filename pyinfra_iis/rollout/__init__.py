"""A rollout over a fleet: which hosts go live when, what became of each, and the report of it. Nothing here talks to a server."""
