"""What the model sees of a finding: quoted data with its id and source, and how to read what was left out."""

import json
from collections.abc import Sequence

from bot.core.evidence import Evidence, LedgerEntry
from bot.core.text.untrusted import cut

MAX_TEXT = 16_384
"""Bytes as sent of one result that the model sees at once; the whole is in the ledger."""
MAX_SUMMARY = 4_000
"""Characters of a summary or a query, at most: a team's own tool may write long ones."""
MAX_SUMMARY_BYTES = 6_000
"""The same as sent: where every letter is escaped, fewer of them."""
READ = "read_evidence"
"""The tool that reads what was left out."""


def sent_bytes(value: object) -> int:
    """Bytes of a text or of JSON within a request: quotes are escaped, and by some clients every letter beyond ASCII."""
    return len(json.dumps(value, default=str))


def cut_as_sent(text: str, most: int) -> str:
    """The text, cut so that it takes no more than so many bytes of a request."""
    while (size := sent_bytes(text)) > most and text:
        text = cut(text, min(len(text) - 1, max(1, len(text) * most // size)))
    return text


def as_data(id: str, evidence: Evidence) -> str:
    """A finding as JSON: whole, or the head and tail of its details with how many were left out."""
    lines = list(evidence.details)
    fields = {
        "id": id,
        "ok": evidence.ok,
        "source": evidence.source,
        "written_by_users": evidence.user_controllable,
        "summary": cut_as_sent(cut(evidence.summary, MAX_SUMMARY), MAX_SUMMARY_BYTES),
        "query": cut_as_sent(cut(evidence.query, MAX_SUMMARY), MAX_SUMMARY_BYTES),
    }
    text = json.dumps({**fields, "details": lines}, ensure_ascii=False)
    if sent_bytes(text) <= MAX_TEXT:
        return text
    keep = len(lines)
    while keep and sent_bytes(text) > MAX_TEXT:
        keep //= 2
        left_out = f"{len(lines) - 2 * keep} of {len(lines)} lines left out; {READ} reads them (lines from 1)"
        shown = [*lines[:keep], *(lines[-keep:] if keep else [])]
        text = json.dumps({**fields, "details": shown, "left_out": left_out}, ensure_ascii=False)
    return text


def shortened(text: str) -> str:
    """A result that was shown before, without its details; what is no result of ours stays as it is."""
    return summary_of(text, left_out=f"details were shown above; {READ} reads them again")


def unshown(text: str) -> str:
    """A result for whose details there is no room, although they were not shown yet."""
    return summary_of(text, left_out=f"there was no room for its details; {READ} reads them")


def summary_of(text: str, *, left_out: str = "details") -> str:
    """A result of `as_data` or `passage` without its details; `left_out` stands in their place."""
    try:
        fields = json.loads(text)
        header = {
            "id": fields["id"],
            **{key: fields[key] for key in ("ok", "source", "written_by_users", "summary") if key in fields},
        }
    except (ValueError, KeyError, TypeError):
        return text
    return json.dumps({**header, "left_out": left_out}, ensure_ascii=False)


def passages(entries: Sequence[LedgerEntry], *, contains: str, line: int) -> str:
    """`passage` of several findings, which share the room of one."""
    if len(entries) == 1:
        return passage(entries[0], contains=contains, line=line)
    share = (MAX_TEXT - 400) // len(entries)
    parts = [json.loads(passage(entry, contains=contains, line=line, limit=share)) for entry in entries]
    written_by_users = any(entry.evidence.user_controllable for entry in entries)
    header = {"id": ", ".join(entry.id for entry in entries), "written_by_users": written_by_users}
    return json.dumps({**header, "passages": parts}, ensure_ascii=False)


def passage(entry: LedgerEntry, *, contains: str, line: int, most: int = 60, limit: int = MAX_TEXT) -> str:
    """Some lines of a finding's details, numbered from 1, from `line` on, of those that hold `contains` (any case)."""
    needle = contains.casefold()
    numbered = enumerate(entry.evidence.details, 1)
    matches = [f"{number} {text}" for number, text in numbered if number >= line and needle in text.casefold()]
    shown = matches[:most]
    while sent_bytes(text := _passage(entry, shown, len(matches))) > limit and shown:
        shown = shown[: len(shown) // 2]
    return text


def _passage(entry: LedgerEntry, shown: Sequence[str], matches: int) -> str:
    left_out = {"left_out": f"{matches - len(shown)} more lines fit"} if matches > len(shown) else {}
    written_by_users = entry.evidence.user_controllable
    return json.dumps({"id": entry.id, "written_by_users": written_by_users, "lines": shown, **left_out}, ensure_ascii=False)
