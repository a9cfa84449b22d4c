"""`tocsin audit`: checks the trail in the database, and an export of it without any database."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bot.adapters import audit_key
from bot.console.incident_listing import expect_database
from bot.core.config import Config
from bot.core.errors import TocsinError
from bot.settings import Secrets, load_config
from bot.store import audit, rekeying
from bot.store.approvals.reconciliation import contradictions
from bot.store.audit import Head
from bot.store.db.database import Database, async_url, readable

T = TypeVar("T")


class BadTrail(TocsinError):
    """What does not fit."""


def check(secrets: Secrets, head: str) -> str:
    """Walk the chain; the good news in words. `head`: a head that was put outside, or a file whose last line is one.

    Raises BadTrail.
    """
    config = load_config(secrets.config) if secrets.config.exists() else Config()
    kept_for = config.retention.incidents
    return _run(secrets, lambda db: _check(db, _head(head) if head else None, kept_for))


def export(secrets: Secrets, path: Path) -> str:
    """Write every row as a line of JSON, and a last line that signs them; the public key that checks it."""
    key = audit_key(secrets)
    rows = _run(secrets, audit.lines)
    public = _signing_key(key).public_key().public_bytes_raw().hex()
    body = "".join(line + "\n" for line in rows).encode()
    seal = {"rows": len(rows), "public_key": public, "signature": _signing_key(key).sign(hashlib.sha256(body).digest()).hex()}
    path.write_bytes(body + json.dumps(seal).encode() + b"\n")
    path.chmod(0o600)
    return public


def rekey(secrets: Secrets, address: str) -> str:
    """Chain a trail anew with TOCSIN_AUDIT_KEY whose key followed from the database's address (`address`: as it was then).

    Raises BrokenTrail, BadTrail; the good news in words.
    """
    if not secrets.postgres:
        raise BadTrail("only a trail on PostgreSQL was ever written with a key of the database's address")

    async def anew(db: Database) -> str:
        rows = await rekeying.rekey(db, rekeying.key_of_address(address or secrets.database_url))
        heads = f"Heads from before fit no longer; the new one: {await audit.head(db)}"
        return f"{rows} rows are chained with TOCSIN_AUDIT_KEY now. {heads}"

    return _run(secrets, anew)


def verify_export(path: Path, key: bytes, public_key: str) -> str:
    """Check an export with the audit's key, or with its public key alone: then the signature and the order of the rows.

    Raises BadTrail; the good news in words.
    """
    body, _, last = path.read_bytes().rstrip(b"\n").rpartition(b"\n")
    body += b"\n" if body else b""
    public = public_key or _signing_key(key).public_key().public_bytes_raw().hex()
    try:
        seal = json.loads(last)
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(
            bytes.fromhex(seal["signature"]), hashlib.sha256(body).digest()
        )
    except (ValueError, KeyError, TypeError, InvalidSignature):
        raise BadTrail("the signature does not fit: the export was changed, cut, or signed with another key") from None
    rows = [json.loads(line) for line in body.splitlines()]
    for problem in _problems(rows, key):
        raise BadTrail(problem)
    what = "signature, order and every row" if key else "signature and order"
    return f"The export is whole: {len(rows)} rows, {what} checked."


def _problems(rows: list[dict[str, str]], key: bytes) -> Iterator[str]:
    for before, row in zip([None, *rows], rows, strict=False):
        if before is not None and row["prev"] != before["hash"]:
            yield f"row {row['seq']} does not follow row {before['seq']}"
        fields = {name: row[name] for name in audit.FIELDS}
        if key and not hmac.compare_digest(row["hash"], audit.chain_hash(key, row["prev"], fields)):
            yield f"row {row['seq']} was changed, or written without the key"


def _signing_key(key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"tocsin audit export" + key).digest())


def _head(text: str) -> Head:
    path = Path(text)
    try:
        lines = path.read_text(encoding="utf-8").split("\n") if len(text) < 1024 and path.is_file() else [text]
    except OSError as error:
        raise BadTrail(f"{text} cannot be read: {error.strerror}") from None
    newest = next((line for line in reversed(lines) if line.strip()), "")
    return Head.read(newest)


async def _check(db: Database, head: Head | None, kept_for: timedelta) -> str:
    if (bad := await audit.verify(db)) is not None:
        # A restored folder whose key was left behind got a new one: then no row at all fits it.
        key = " (at the first row: is this the key they were written with? put back audit.key or TOCSIN_AUDIT_KEY)"
        why = f"a row was changed, removed or written without the key{key if bad == 1 else ''}"
        raise BadTrail(f"the audit's chain breaks at row {bad}: {why}")
    problem = await audit.lacks(db, head) if head is not None else ""
    if problems := [*([problem] if problem else []), *await contradictions(db, kept_for)]:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise BadTrail(problems[0] + more)
    if head is None:
        return "The audit's chain is whole. Whether rows were cut off its end, only a head that was put outside shows: --head."
    return f"The audit's chain is whole, and goes back to the head of row {head.seq}."


def _run(secrets: Secrets, use: Callable[[Database], Awaitable[T]]) -> T:
    """Use the configured database once."""
    expect_database(secrets)
    db = Database(async_url(secrets.database_url, secrets.data_dir), audit_key=audit_key(secrets))

    async def used() -> T:
        try:
            return await use(db)
        finally:
            await db.close()

    with readable():
        return asyncio.run(used())
