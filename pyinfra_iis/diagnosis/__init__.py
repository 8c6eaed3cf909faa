"""Why a site does not work: rules that turn what a server tells into a cause, its evidence and a fix, a sentence each.

Nothing here talks to a server: `pyinfra_iis.facts.diagnosis.look` does, and `examine` judges what it has brought. The rules are tables in
`rules/`, each with a name that is a page of docs/failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra_iis.diagnosis.evidence import Evidence
from pyinfra_iis.diagnosis.findings import Finding, Kind
from pyinfra_iis.diagnosis.rules import RULES

__all__ = ["Diagnosis", "Evidence", "Finding", "Kind", "examine"]


@dataclass(frozen=True)
class Diagnosis:
    """What is the matter with a site.

    Attributes:
        site: its name.
        healthy: it answers through all of its bindings.
        answer: how it answered, for people.
        causes: why it fails, the most likely first; empty for a healthy site.
        notices: what is wrong besides, or worth knowing.
        blind: what the server could not tell, by the name of the script, and why; rules that could not judge it (`rule NAME`).
    """

    site: str
    healthy: bool
    answer: str
    causes: tuple[Finding, ...]
    notices: tuple[Finding, ...]
    blind: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """In JSON's terms."""
        return {
            "site": self.site,
            "healthy": self.healthy,
            "answer": self.answer,
            "causes": [finding.to_dict() for finding in self.causes],
            "notices": [finding.to_dict() for finding in self.notices],
            "blind": dict(self.blind),
        }


def examine(told: Mapping[str, Any], status: int = 0) -> Diagnosis:
    """Judge what a server told about a site.

    Args:
        told: what `pyinfra_iis.facts.diagnosis.look` returned.
        status: the status code that means healthy; 0 accepts every answer of the application below 500 except 400.
    """
    evidence = Evidence(told, status)
    found: list[Finding] = []
    blind = evidence.blind
    for rule in RULES:
        try:
            finding = rule.apply(evidence)
        except Exception as error:  # one that trips over something unheard of does not keep the others from speaking
            blind[f"rule {rule.name}"] = f"{type(error).__name__}: {error}"
        else:
            found += [finding] if finding else []
    causes = [finding for finding in found if finding.kind is Kind.CAUSE]
    if not causes and not evidence.healthy:
        causes = [finding for finding in found if finding.kind is Kind.GENERAL][:1]
    return Diagnosis(
        evidence.name,
        evidence.healthy and not causes,
        evidence.answer,
        tuple(causes),
        tuple(finding for finding in found if finding.kind is Kind.NOTICE),
        blind,
    )
