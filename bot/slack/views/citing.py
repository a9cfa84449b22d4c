"""How evidence is named: ids where a claim stands on it, and each of them once with what it is and its address."""

from collections.abc import Iterable, Mapping

from bot.core.evidence import LedgerEntry
from bot.core.tool_calls import UNKNOWN_TOOL
from bot.slack.blocks import Block, context
from bot.slack.untrusted_text import allowed_address, name_text, prose
from bot.slack.view_context import ViewContext

MAX_CITED = 16
PIECE = 2_900
"""Characters of one element, below Slack's 3,000: a link cut in its middle would be none."""
ADDRESS_BUDGET = 5_000
"""Characters of addresses in one message: Prometheus links are long, and Slack counts them."""


def cite(*ids: str | None) -> str:
    """` (E1, E4)`; "" without ids."""
    shown = dict.fromkeys(filter(None, ids))
    return f" ({', '.join(prose(id, 12) for id in shown)})" if shown else ""


def cited_line(evidence: Mapping[str, LedgerEntry], ids: Iterable[str], view: ViewContext) -> Iterable[Block]:
    """One row that names each cited evidence once, as a link where its address is allowed."""
    cited = [id for id in dict.fromkeys(ids) if id in evidence]
    budget, shown = ADDRESS_BUDGET, []
    for id in cited[:MAX_CITED]:
        entry = evidence[id]
        address = allowed_address(entry.evidence.link, view.hosts)
        label = f"{id} {described(entry)}"
        budget -= len(address)
        shown.append(f"<{address}|{label}>" if address and budget > 0 else label)
    if len(cited) > MAX_CITED:
        shown.append(f"and {len(cited) - MAX_CITED} more")
    if shown:
        yield context(*_packed([f"*Evidence:* {shown[0]}", *shown[1:]]))


def _packed(parts: Iterable[str]) -> list[str]:
    """The parts in as few pieces as possible, none of them cut."""
    pieces: list[str] = []
    for part in parts:
        if pieces and len(pieces[-1]) + len(part) + 3 <= PIECE:
            pieces[-1] += f" · {part}"
        else:
            pieces.append(part)
    return pieces


def described(entry: LedgerEntry) -> str:
    """What a piece of evidence is, in a few words: `health of checkout`."""
    if entry.evidence.label:
        return prose(entry.evidence.label, 400).replace("|", "¦")
    arguments = {name: name_text(str(value), 40) if value else "" for name, value in entry.arguments.items()}
    return UNKNOWN_TOOL.describe(entry.tool, arguments, limit=400).replace("|", "¦")
