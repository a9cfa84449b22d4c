"""A changed tocsin.yaml is taken over whole, or not at all; either way the audit says so."""

import asyncio
import getpass
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.app import App
from bot.control_socket import ControlSocket, ask_reload, control_path
from bot.core.approvals.roster import Roster
from bot.core.config import Config
from bot.core.errors import ConfigurationError
from bot.reloading import Reloader, ReloadResult, review_of
from bot.settings import Secrets, load_config
from bot.store import audit
from bot.store.approvals.policies.policies import Policies
from bot.store.db.database import Database
from tests.unit.store.databases import Clock, open_database

OLD = "people: {alice: {slack: U1}}\nservices: {checkout: {owners: [alice]}}\ntriage_from: SEV2\n"
NEW = OLD.replace("SEV2", "SEV3")


def reloader_for(file: Path, config: Config, db: Database) -> Reloader:
    review = review_of(db, config, lambda: None)
    return Reloader(file, config, db, lambda: applied.append(config.triage_from), review)


@asynccontextmanager
async def reloader_of(folder: Path) -> AsyncIterator[tuple[Reloader, Path]]:
    file = folder / "tocsin.yaml"
    file.write_text(OLD)
    db = await open_database(folder, Clock())
    config = load_config(file)
    yield reloader_for(file, config, db), file
    await db.close()


applied: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_applied() -> None:
    applied.clear()


async def trail(reloader: Reloader) -> list[tuple[str, str, str]]:
    return [(row.who, row.what, row.reason) for row in await audit.after(reloader._db, 0)]


async def test_a_changed_file_is_in_use_at_once_and_audited_with_both_hashes(tmp_path: Path) -> None:
    async with reloader_of(tmp_path) as (reloader, file):
        file.write_text(NEW)
        result = await reloader.reload("alice")
        first, row = await audit.after(reloader._db, 0)

    assert (first.what, first.reason) == ("policy", "the first policy: there is nothing to compare it with")
    assert result.accepted and "triage_from changed" in result.lines
    assert applied == ["SEV3"]
    assert (row.who, row.what, row.subject, row.reason) == (
        "alice", "configuration reloaded", "tocsin.yaml", "triage_from changed",
    )  # fmt: skip
    assert len(row.before) == len(row.after) == 16 and f"{row.before} -> {row.after}" in result.lines[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("people: {alice: {slack: U1, tel: 5}}\n", "tocsin.yaml:1: people.alice.tel: unknown key"),
        (NEW + "command: /ops\n", "command: taken over by a restart only"),
    ],
)
async def test_a_file_that_cannot_be_taken_over_changes_nothing_and_says_why(tmp_path: Path, text: str, why: str) -> None:
    async with reloader_of(tmp_path) as (reloader, file):
        file.write_text(text)
        result = await reloader.reload("alice")
        rows = await trail(reloader)

    assert not result.accepted and why in result.lines[0] and "in use stays" in result.lines[1]
    assert applied == []
    assert rows[0][:2] == ("alice", "configuration refused") and why in rows[0][2]


async def test_a_file_that_gives_somebody_more_says_that_it_waits_for_a_second_person(tmp_path: Path) -> None:
    async with reloader_of(tmp_path) as (reloader, file):
        await reloader.note_start()
        file.write_text(OLD + "approvers: {deputies: [alice]}\n")
        result = await reloader.reload("SIGHUP")
        rows = await trail(reloader)

    assert result.accepted and "  alice becomes a deputy, who may approve everything" in result.lines
    assert any("wait for a second person, who confirms POL-2 in Slack" in line for line in result.lines)
    assert ("SIGHUP", "policy", "waits for a second person: alice becomes a deputy, who may approve everything") in rows


async def test_what_was_rejected_is_asked_again_by_a_reload_of_the_same_file(tmp_path: Path) -> None:
    async with reloader_of(tmp_path) as (reloader, file):
        await reloader.note_start()
        file.write_text(OLD + "approvers: {deputies: [alice]}\n")
        await reloader.reload("SIGHUP")
        policies = Policies(reloader._db, lambda: "C1")
        await policies.reject("POL-2", "alice", Roster(load_config(file)))
        result = await reloader.reload("SIGHUP")
        waiting = await policies.waiting()

    assert result.accepted and "in use already" in result.lines[0]
    assert any("who confirms POL-3 in Slack" in line for line in result.lines)
    assert waiting is not None and waiting.ref == "POL-3"


async def test_a_policy_file_that_is_broken_keeps_the_old_policy_and_says_so(tmp_path: Path) -> None:
    async with reloader_of(tmp_path) as (reloader, file):
        file.with_name("policy.yaml").write_text("version: 1\napprovers: {deputys: [alice]}\n")
        result = await reloader.reload("alice")

    assert not result.accepted and "policy.yaml:2: approvers.deputys: unknown key" in result.lines[0]
    assert "in use stays" in result.lines[1] and applied == []


async def test_a_file_that_is_gone_is_no_empty_configuration(tmp_path: Path) -> None:
    async with reloader_of(tmp_path) as (reloader, file):
        file.unlink()
        result = await reloader.reload("alice")

    assert not result.accepted and "is gone" in result.lines[0] and applied == []


async def test_an_unchanged_file_is_told_and_not_audited(tmp_path: Path) -> None:
    async with reloader_of(tmp_path) as (reloader, _):
        result = await reloader.reload("alice")

        assert result.accepted and "in use already" in result.lines[0] and await trail(reloader) == []


async def test_a_source_that_was_added_takes_bodies_once_it_is_reloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text("sources: {prod: {kind: alertmanager}}\n")
    monkeypatch.setenv("TOCSIN_TOKEN_OWN", "right")
    await (await open_database(tmp_path, Clock())).close()
    app = App(Secrets.model_validate({"slack_bot_token": "xoxb-1", "data_dir": tmp_path, "config": file}), load_config(file))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://bot") as client:
        before = await client.post("/alerts/own", headers={"authorization": "Bearer right"}, content=b"{")
        file.write_text("sources: {prod: {kind: alertmanager}, own: {kind: generic}}\nservices: {checkout: {}}\n")
        result = await app.reloader.reload("alice")
        after = await client.post("/alerts/own", headers={"authorization": "Bearer right"}, content=b"{")
    services = list(app.catalogue.services)
    await app.db.close()

    assert (before.status_code, after.status_code) == (404, 400)
    assert "sources.own added" in result.lines and services == ["checkout"]
    assert "A source takes nothing until the server is started with TOCSIN_TOKEN_PROD set" in result.lines
    assert any(line.startswith("sources.own: whoever holds its token") for line in result.lines)


async def test_whoever_may_open_the_socket_reloads_and_is_named(tmp_path: Path) -> None:
    asked: list[str] = []

    async def reload(who: str) -> ReloadResult:
        asked.append(who)
        return ReloadResult(False, ("Not reloaded: because",))

    path = control_path(tmp_path, 8000)
    control = ControlSocket(path, reload)
    await control.open()
    mode = path.stat().st_mode & 0o777
    result = await asyncio.to_thread(ask_reload, path)
    await control.close()

    assert (result, mode) == (ReloadResult(False, ("Not reloaded: because",)), 0o600)
    assert asked == [f"{getpass.getuser()} of this machine"] and not path.exists()


async def test_a_socket_that_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    path = control_path(tmp_path, 8000)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    with pytest.raises(ConfigurationError, match="no bot of this user runs here"):
        ask_reload(path)
    control = ControlSocket(path, _nothing)
    await control.open()
    accepted = (await asyncio.to_thread(ask_reload, path)).accepted
    await control.close()

    assert accepted


async def _nothing(who: str) -> ReloadResult:
    return ReloadResult(True, ())


async def test_a_folder_that_takes_no_socket_does_not_stop_the_bot(tmp_path: Path) -> None:
    control = ControlSocket(tmp_path / ("x" * 120), _nothing)

    await control.open()
    await control.close()

    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_each_start_is_a_row_and_says_whether_the_file_was_changed_meanwhile(tmp_path: Path) -> None:
    async with reloader_of(tmp_path) as (reloader, file):
        await reloader.note_start()
        await reloader.note_start()
        file.write_text(NEW)
        await reloader_for(file, load_config(file), reloader._db).note_start()
        first, policy, again, changed = await audit.after(reloader._db, 0)

    assert {row.what for row in (first, again, changed)} == {"started"} and first.before == ""
    assert policy.what == "policy", "that of the first start; the others change no right"
    assert (again.before, again.after, again.reason) == (first.after, first.after, "")
    assert changed.before == first.after != changed.after and changed.reason == "tocsin.yaml was changed while nothing ran"
