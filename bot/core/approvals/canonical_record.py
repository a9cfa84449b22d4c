"""The canonical record of a proposal: what people approve, byte for byte, and the fingerprint of these bytes.

The card is rendered from this record only; the fingerprint is computed again
from the stored row at the claim and just before the remote call.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from bot.core.action import Autonomy, Terms
from bot.core.text.moments import iso_utc


def canonical(record: Mapping[str, object]) -> bytes:
    """JSON with sorted keys, no white space, Unicode in NFC. Raises ValueError on floats: they have two spellings."""
    return json.dumps(_plain(record, "record"), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def plan_fingerprint(record: Mapping[str, object]) -> str:
    """SHA-256 of the canonical record, 64 hex digits."""
    return hashlib.sha256(canonical(record)).hexdigest()


def text_fingerprint(text: str) -> str:
    """SHA-256 of a text in NFC: binds a dry run to the record without repeating it there."""
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()


def stamp(moment: datetime) -> str:
    """A moment as the record spells it: ISO 8601, UTC, with Z, to the microsecond."""
    return iso_utc(moment, "microseconds")


def _plain(value: object, where: str) -> JsonValue:
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


def _name(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{where}: keys are text")
    return unicodedata.normalize("NFC", key)


def record_of(terms: Terms) -> dict[str, JsonValue]:
    """The canonical record as plain JSON. Raises ValueError if an argument has no canonical form."""
    # Where these are empty, the bytes of a record are those that it always had.
    empty = {name for name in _LATER if not getattr(terms, name)}
    if terms.autonomy is Autonomy.APPROVE:
        empty.add("autonomy")
    covered = terms.model_dump(include=_COVERED - empty, by_alias=True)
    spelled = {
        "dry_run_digest": text_fingerprint(terms.dry_run),
        "tier": int(terms.tier),
        "expires_at": stamp(terms.expires_at),
    }
    plain: dict[str, JsonValue] = json.loads(canonical({**covered, **spelled}))
    return plain


def terms_of(record: Mapping[str, object], dry_run: str) -> Terms:
    """The terms behind a record; it holds only the fingerprint of its dry run, so the text is given beside it."""
    return Terms.model_validate({**record, "dry_run": dry_run})


_LATER = ("requesters", "replicas", "parts")
"""Fields that records of earlier versions do not have."""
_COVERED = set(Terms.model_fields) - {"dry_run"}
