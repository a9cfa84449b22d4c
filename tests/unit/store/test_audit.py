"""The audit's head outside of the database shows a cut end and a rewritten trail; an export is checked without a database."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import col, delete, select, update

from bot.console.trail.auditing import BadTrail, check, export, verify_export
from bot.core.config import Config
from bot.core.config.audit import AuditConfig
from bot.core.errors import NotFound
from bot.settings import Secrets
from bot.store import audit
from bot.store.audit import Head
from bot.store.db.database import Database
from bot.store.tables import AuditRow, MessageRow
from bot.workflows.audit_heads import HeadsTick
from tests.unit.store.databases import Clock, open_database


async def trail(folder: Path, rows: int = 5, key: bytes = b"key") -> Database:
    """A database with so many rows in its audit."""
    db = await open_database(folder, Clock())
    db.audit_key = key
    async with db.write() as session:
        for number in range(rows):
            await audit.append(db, session, who="alice", what="noted", subject=f"AL-{number}", reason="a\nb")
    return db


async def cut(db: Database, after: int) -> None:
    async with db.write() as session:
        await session.exec(delete(AuditRow).where(col(AuditRow.seq) > after))


async def test_a_cut_end_is_found_by_the_head_that_was_put_outside_and_by_nothing_else(tmp_path: Path) -> None:
    db = await trail(tmp_path)
    head = await audit.head(db)
    assert head is not None and (head.seq, head.rows, await audit.lacks(db, head)) == (5, 5, "")

    await cut(db, 3)
    assert await audit.verify(db) is None
    assert await audit.lacks(db, head) == "the end of the audit was cut off: it ends at row 3, and had row 5"

    await cut(db, 0)
    assert "cut off: it ends at row 0" in await audit.lacks(db, head)
    await db.close()


async def test_a_trail_that_a_holder_of_the_key_wrote_anew_is_another(tmp_path: Path) -> None:
    db = await trail(tmp_path)
    head = await audit.head(db)
    assert head is not None
    await cut(db, 4)
    async with db.write() as session:
        await audit.append(db, session, who="mallory", what="noted", subject="AL-9")

    assert await audit.verify(db) is None and "was rewritten" in await audit.lacks(db, head)
    await db.close()


async def test_a_head_is_read_from_whatever_stands_around_it() -> None:
    head = Head(7, "ab" * 32, 7)

    assert Head.read(f"Nov 27 host tocsin[1]: {head} (LOG)") == head
    with pytest.raises(NotFound, match="no head"):
        Head.read("tocsin audit head 7 xyz 7")


async def test_the_head_is_put_into_the_file_and_the_channel_once_for_each_new_one(tmp_path: Path) -> None:
    db = await trail(tmp_path)
    places = AuditConfig(channel="C9", file=tmp_path / "heads")
    tick = HeadsTick(db, Config(audit=places))
    for _ in range(2):
        await tick()
    async with db.write() as session:
        await audit.append(db, session, who="bob", what="noted", subject="AL-9")
    await tick()
    async with db.read() as session:
        lines = (await session.exec(select(MessageRow.subject).where(MessageRow.channel == "C9"))).all()
    written = (tmp_path / "heads").read_text().splitlines()
    await db.close()

    assert written == list(lines) and [Head.read(line).seq for line in written] == [5, 6]
    assert (tmp_path / "heads").stat().st_mode & 0o077 == 0


async def test_a_place_that_fails_keeps_no_other_from_the_head(tmp_path: Path) -> None:
    db = await trail(tmp_path)
    await HeadsTick(db, Config(audit=AuditConfig(channel="C9", file=tmp_path / "no" / "folder")))()
    async with db.read() as session:
        assert len((await session.exec(select(MessageRow))).all()) == 1
    await db.close()


def test_an_export_is_checked_by_the_key_or_the_public_key_and_every_change_is_found(tmp_path: Path) -> None:
    import asyncio

    async def made() -> None:
        db = await trail(tmp_path)
        await db.close()

    asyncio.run(made())
    secrets, file = Secrets(data_dir=tmp_path, audit_key=SecretStr("key")), tmp_path / "export.jsonl"
    public = export(secrets, file)
    assert "5 rows, signature, order and every row checked" in verify_export(file, b"key", "")
    assert "5 rows, signature and order checked" in verify_export(file, b"", public)

    lines = file.read_text().splitlines()
    for changed in ([*lines[:-2], lines[-1]], [lines[0].replace("alice", "mallory"), *lines[1:]], lines[:-1], []):
        file.write_text("".join(line + "\n" for line in changed))
        for key, shown in ((b"key", ""), (b"", public)):
            with pytest.raises(BadTrail, match="signature does not fit"):
                verify_export(file, key, shown)


def test_an_export_is_plain_text_whatever_was_written_and_its_signature_holds(tmp_path: Path) -> None:
    import asyncio

    odd = "\x1b[2J\x9b31m\x7f\r\u202e\u2028gekürzt"

    async def made() -> None:
        db = await trail(tmp_path, rows=1)
        async with db.write() as session:
            await audit.append(db, session, who=odd, what="noted", subject=odd, reason=odd)
        await db.close()

    asyncio.run(made())
    secrets, file = Secrets(data_dir=tmp_path, audit_key=SecretStr("key")), tmp_path / "export.jsonl"
    public = export(secrets, file)

    assert all(byte == 10 or 32 <= byte < 127 for byte in file.read_bytes())
    assert "2 rows, signature, order and every row checked" in verify_export(file, b"key", "")
    assert "2 rows, signature and order checked" in verify_export(file, b"", public)


def test_verify_takes_a_head_or_a_file_of_them_and_says_what_no_head_means(tmp_path: Path) -> None:
    import asyncio

    async def made() -> Head | None:
        db = await trail(tmp_path)
        head = await audit.head(db)
        await db.close()
        return head

    head, secrets = asyncio.run(made()), Secrets(data_dir=tmp_path, audit_key=SecretStr("key"))
    (tmp_path / "heads").write_text(f"older\n{head}\n")
    assert "only a head" in check(secrets, "")
    assert "row 5" in check(secrets, str(head)) and "row 5" in check(secrets, str(tmp_path / "heads"))

    async def edited() -> None:
        db = await open_database(tmp_path, Clock())
        async with db.write() as session:
            await session.exec(update(AuditRow).where(col(AuditRow.seq) == 2).values(who="mallory"))
        await db.close()

    asyncio.run(edited())
    with pytest.raises(BadTrail, match="breaks at row 2"):
        check(secrets, str(head))


async def test_a_transaction_reads_what_is_about_a_subject_once_and_has_its_own_rows_among_it(tmp_path: Path) -> None:
    db = await trail(tmp_path)
    async with db.write() as session:
        assert [row.what for row in await audit.about(session, "AL-1", "AL-2", "AL-9")] == ["noted", "noted"]
        await audit.append(db, session, who="bob", what="stop", subject="AL-1")
        await audit.append(db, session, who="bob", what="stop", subject="AL-9")

        assert [row.what for row in await audit.about(session, "AL-1")] == ["noted", "stop"]
        assert [row.what for row in await audit.about(session, "AL-9")] == ["stop"]

    async with db.read() as session:
        assert [row.who for row in await audit.about(session, "AL-1")] == ["alice", "bob"]
    await db.close()


async def test_a_flood_of_refusals_is_not_among_what_is_about_a_subject(tmp_path: Path) -> None:
    db = await trail(tmp_path)
    async with db.write() as session:
        for _ in range(3):
            await audit.append(db, session, who="mallory", what="refused: approve", subject="AL-1")

    async with db.read() as session:
        assert [row.what for row in await audit.about(session, "AL-1")] == ["noted"]
    await db.close()
