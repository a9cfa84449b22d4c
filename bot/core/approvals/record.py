"""The canonical record of a proposal: what people approve, byte for byte, and its digest.

The card is rendered from this record only; the digest is computed again from
the stored row at the claim and just before the remote call.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from bot.core.action import DryRun, Proposal, ProposalState, Tier
from bot.core.text.moments import iso_utc

SHOWN_DIGITS = 8
"""Digits of the digest that stand on the card."""


def canonical(record: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no white space, Unicode in NFC. Raises ValueError on floats: they have two spellings."""
    return json.dumps(_plain(record, "record"), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(record: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical record, 64 hex digits."""
    return hashlib.sha256(canonical(record)).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a text in NFC: binds a dry run to the record without repeating it there."""
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()


def stamp(moment: datetime) -> str:
    """A moment as the record spells it: ISO 8601, UTC, with Z, to the microsecond."""
    return iso_utc(moment, "microseconds")


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        plain = {_name(key, where): _plain(item, f"{where}.{key}") for key, item in value.items()}
        if len(plain) != len(value):
            raise ValueError(f"{where}: two keys are the same text")
        return plain
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise ValueError(f"{where}: {type(value).__name__} has no canonical form; write numbers as integers or text")


def _name(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{where}: keys are text")
    return unicodedata.normalize("NFC", key)


class Parts(TypedDict):
    """What the record is made of."""

    ref: str
    revision: int
    group: str
    incident: str
    action: str
    action_version: str
    kind: str
    service: str
    title: str
    arguments: Mapping[str, Any]
    steps: list[str]
    policy_version: str
    requester: str
    because: str
    inverse: str
    targets: Mapping[str, str]
    dry_run: DryRun
    tier: Tier
    expires_at: datetime


def make_record(**parts: Unpack[Parts]) -> dict[str, Any]:
    """Everything that an approval covers. Raises ValueError if an argument has no canonical form."""
    dry_run = parts["dry_run"]
    plain = {key: value for key, value in parts.items() if key not in ("dry_run", "tier", "expires_at")}
    record = {
        **plain,
        "dry_run_digest": text_digest(dry_run.text),
        "dry_run_ok": dry_run.ok,
        "tier": int(parts["tier"]),
        "expires_at": stamp(parts["expires_at"]),
    }
    found: dict[str, Any] = json.loads(canonical(record))
    return found


def proposal_of(
    record: Mapping[str, Any],
    *,
    digest: str,
    state: str,
    dry_run: str,
    dry_run_at: datetime,
    outcome: str,
    verification: str,
    created_at: datetime,
) -> Proposal:
    """The noun from the record and the few columns that the record does not cover."""
    covered = {key: value for key, value in record.items() if key not in _OTHERWISE}
    return Proposal(
        **covered,
        tier=Tier(record["tier"]),
        expires_at=datetime.fromisoformat(record["expires_at"]),
        dry_run=dry_run,
        dry_run_at=dry_run_at,
        state=ProposalState(state),
        digest=digest,
        outcome=outcome,
        verification=verification,
        created_at=created_at,
    )


_OTHERWISE = ("dry_run_digest", "tier", "expires_at")
"""Parts of the record that the noun spells in another way."""
