"""A rollout over a fleet: which hosts go live when, what is done in a host's turn, what became of each, and the report of it.

`fleet` knows whose turn it is, `turn` takes it, `watch` completes and shows the `record` of it as pyinfra goes on, `report` writes it down. The operations
that pyinfra runs are `pyinfra_iis.operations.rollout`.
"""
