"""Leads: how far the first cause of each incident lies ahead, whether it is right, and what a table of shares calls likely."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.evidence import Basis, Findings
from bot.core.ranking.calibration import Step, fitted
from bot.core.tuning import TUNING, Tuning

IsRight = Callable[[Findings], bool]
Table = Mapping[Basis, Sequence[Step]]
BASES: tuple[Basis, ...] = ("measured", "burst")
ORIGINS = {"hotel_reservation": "TVDiag"}
"""Sets of one folder whose projects differ; all others have their project's name."""


@dataclass(frozen=True)
class JudgedLead:
    """The lead of one incident; `allowed` says that everything but its distance allows the word "likely"."""

    set: str
    origin: str
    basis: Basis | None
    """None where no cause was named."""
    distance: float
    place_right: bool
    right: bool
    allowed: bool

    @classmethod
    def of(cls, name: str, origin: str, findings: Findings, *, place: IsRight, answer: IsRight) -> "JudgedLead":
        """Of findings that were ranked and judged with `uncalibrated` weights."""
        lead = findings.lead
        allowed = bool(findings.hypotheses) and findings.hypotheses[0].confidence == "likely"
        basis, distance = (lead.basis, lead.distance) if lead else (None, 0.0)
        return cls(name, origin, basis, distance, place(findings), answer(findings), allowed)


def uncalibrated(tuning: Tuning) -> Tuning:
    """The same weights as if every lead were far enough ahead."""
    return replace(tuning, confidence=replace(tuning.confidence, likely=0.0))


def called_likely(leads: Sequence[JudgedLead], table: Table) -> list[bool]:
    """For each cause that this table calls likely whether it is right."""
    return [lead.right for lead in leads if lead.allowed and _share(lead, table) >= TUNING.confidence.likely]


def _share(lead: JudgedLead, table: Table) -> float:
    steps = table[lead.basis] if lead.basis else ()
    return max((share for least, share in steps if least <= lead.distance), default=0.0)


def table_of(leads: Sequence[JudgedLead], *, without: str = "") -> dict[Basis, list[Step]]:
    """Fitted on the places of these leads, those of one origin left out."""
    heard = [lead for lead in leads if lead.origin != without]
    return {
        basis: fitted((lead.origin, lead.distance, lead.place_right) for lead in heard if lead.basis == basis)
        for basis in BASES
    }


def share_and_precision(total: int, rights: Sequence[bool]) -> str:
    """What is called likely of so many incidents and, if anything is, how much of it is right: `0.50, 0.97`."""
    precision = f", {sum(rights) / len(rights):.2f}" if rights else ""
    return f"{len(rights) / max(1, total):.2f}{precision}"
