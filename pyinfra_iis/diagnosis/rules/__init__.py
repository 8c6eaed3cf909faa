"""All rules, in the order of a request's way through the server; within a module the most specific stand first."""

from __future__ import annotations

from pyinfra_iis.diagnosis.findings import Rule
from pyinfra_iis.diagnosis.rules import application, bindings, configuration, pool, server, start

RULES: tuple[Rule, ...] = (
    *server.RULES,
    *bindings.RULES,
    *pool.RULES,
    *configuration.RULES,
    *start.RULES,
    *application.RULES,
)
