"""The canonical record of a proposal: what people approve, byte for byte, and its digest.

The card is rendered from this record only; the digest is computed again from
the stored row at the claim and just before the remote call.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.core.action import DryRun, Proposal, ProposalState, Tier

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
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


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


def make_record(
    *,
    ref: str,
    revision: int,
    group: str,
    incident: str,
    action: str,
    action_version: str,
    kind: str,
    service: str,
    title: str,
    arguments: Mapping[str, Any],
    targets: Mapping[str, str],
    steps: list[str],
    dry_run: DryRun,
    tier: Tier,
    policy_version: str,
    requester: str,
    because: str,
    inverse: str,
    expires_at: datetime,
) -> dict[str, Any]:
    """Everything that an approval covers. Raises ValueError if an argument has no canonical form."""
    record: dict[str, Any] = {
        "ref": ref,
        "revision": revision,
        "group": group,
        "incident": incident,
        "action": action,
        "action_version": action_version,
        "kind": kind,
        "service": service,
        "title": title,
        "arguments": dict(arguments),
        "targets": dict(targets),
        "steps": list(steps),
        "dry_run_digest": text_digest(dry_run.text),
        "dry_run_ok": dry_run.ok,
        "tier": int(tier),
        "policy_version": policy_version,
        "requester": requester,
        "because": because,
        "inverse": inverse,
        "expires_at": stamp(expires_at),
    }
    plain: dict[str, Any] = json.loads(canonical(record))
    return plain


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
