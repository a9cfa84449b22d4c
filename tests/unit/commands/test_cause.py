"""The verb that says what an incident was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.commands.cause import cause
from bot.commands.resolve import firing_text, resolve
from bot.core.errors import NotFound
from bot.core.evidence import Findings, Hypothesis
from bot.plugins import Command, FieldErrors, Form, Reply, Request
from bot.settings import catalogue_of
from bot.store.incidents.overview import FiringAlerts
from bot.store.tables import AlertRow, CauseRow, EpisodeRow, IncidentRow, MessageRow
from bot.store.triage.triage import Triages
from bot.workflows.command_context import CommandContext
from tests.unit.approvals_fixture import ApprovalsFixture, actor, open_approvals
from tests.unit.builders import NOW
from tests.unit.readers import everything_public


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    """With INC-1, of which a triage ranked two causes."""
    fixture = await open_approvals(tmp_path)
    triages = Triages(fixture.db)
    await triages.open("AL-1", 1, "", "")
    first = Hypothesis(cause="deploy 2 broke checkout", service="checkout", kind="change", change_id="d2")
    found = Findings(hypotheses=[first, Hypothesis(cause="search is slow", service="search", kind="dependency")])
    await triages.update("AL-1", 1, findings=found.model_dump(mode="json"), state="done")
    yield fixture
    await fixture.close()


async def use(fixture: ApprovalsFixture, command: Command = cause, **values: Any) -> Any:
    ctx = CommandContext(
        db=fixture.db, config=fixture.config, catalogue=catalogue_of(fixture.config), engine=fixture.engine,
        clock=lambda: fixture.now, verbs={}, approvals=fixture.approvals, usergroup=fixture.usergroup,
        read_access=everything_public(fixture.db),
    )  # fmt: skip
    fields = {"verb": command.name, "channel": "C1", "entry_point": "button", "ref": "INC-1", "key": str(values)}
    return await command.fn(ctx, Request(actor=actor("alice"), **{**fields, **values}))


async def stored(fixture: ApprovalsFixture) -> list[tuple[str, str, str, str]]:
    return [(row.text, row.service, row.change_id, row.confirmed_by) for row in await fixture.rows(CauseRow)]


async def test_one_press_confirms_the_first_cause_as_it_was_ranked(fixture: ApprovalsFixture) -> None:
    await use(fixture, verb="confirm", revision=1)

    assert await stored(fixture) == [("deploy 2 broke checkout", "checkout", "d2", "alice")]


async def rank_anew(fixture: ApprovalsFixture) -> None:
    """Another attempt names something else."""
    cause = Hypothesis(cause="a cable was cut", service="search").model_dump(mode="json")
    await Triages(fixture.db).open("AL-1", 2, "", "")
    await Triages(fixture.db).update("AL-1", 2, findings={"hypotheses": [cause]}, state="done", finished_at=fixture.now)


async def test_a_ranking_that_changed_meanwhile_is_not_confirmed(fixture: ApprovalsFixture) -> None:
    await rank_anew(fixture)

    assert "ranked anew" in (await use(fixture, verb="confirm", revision=1)).text
    assert await stored(fixture) == []


async def test_what_is_shown_while_it_is_ranked_anew_can_be_confirmed(fixture: ApprovalsFixture) -> None:
    await Triages(fixture.db).open("AL-1", 2, "", "")

    assert "Noted" in (await use(fixture, verb="confirm", revision=1)).text


async def test_nothing_ranked_is_nothing_to_confirm(fixture: ApprovalsFixture) -> None:
    await Triages(fixture.db).open("AL-1", 2, "is it the cache?", "alice")

    with pytest.raises(NotFound, match="say in words"):
        await use(fixture, verb="confirm", revision=2)


async def test_the_dialog_offers_the_causes_and_takes_one_of_them(fixture: ApprovalsFixture) -> None:
    form = await use(fixture, revision=1)
    assert isinstance(form, Form) and [value for value, _ in form.fields[0].options] == ["1", "2", "0"]

    await use(
        fixture, entry_point="modal", revision=form.revision, fields={"which": "2", "words": "its index", "service": "checkout"}
    )

    assert await stored(fixture) == [("search is slow (its index)", "search", "", "alice")]


async def test_words_of_their_own_need_no_hypothesis(fixture: ApprovalsFixture) -> None:
    await use(fixture, entry_point="modal", revision=1, fields={"which": "0", "words": "a cable", "service": "search"})

    assert await stored(fixture) == [("a cable", "search", "", "alice")]


async def test_an_empty_dialog_stays_open(fixture: ApprovalsFixture) -> None:
    answer = await use(fixture, entry_point="modal", revision=1, fields={"which": "0", "words": " "})

    assert isinstance(answer, FieldErrors) and await stored(fixture) == []


async def test_it_is_said_in_a_line_as_well(fixture: ApprovalsFixture) -> None:
    answer = await use(fixture, entry_point="mention", text="a cable", options={"service": "search"})

    assert isinstance(answer, Reply) and await stored(fixture) == [("a cable", "search", "", "alice")]


async def test_a_service_that_nobody_knows_is_refused(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match="serch is no service"):
        await use(fixture, entry_point="mention", text="a cable", options={"service": "serch"})


async def test_a_service_named_in_the_words_is_taken(fixture: ApprovalsFixture) -> None:
    await use(fixture, entry_point="mention", text="a cable of search")

    assert await stored(fixture) == [("a cable of search", "search", "", "alice")]


async def test_the_resolve_dialog_takes_a_ranked_cause_and_then_nothing_is_asked(fixture: ApprovalsFixture) -> None:
    form = await use(fixture, resolve)
    assert isinstance(form, Form) and [field.name for field in form.fields] == ["which", "cause"]

    await use(fixture, resolve, entry_point="modal", revision=form.revision, fields={"which": "1", "cause": ""})

    assert await stored(fixture) == [("deploy 2 broke checkout", "checkout", "d2", "alice")]
    assert [(row.state, row.cause) for row in await fixture.rows(IncidentRow)] == [("RESOLVED", "deploy 2 broke checkout")]
    assert [row for row in await fixture.rows(MessageRow) if row.kind == "cause"] == []


async def test_a_resolve_without_a_cause_asks_in_the_thread(fixture: ApprovalsFixture) -> None:
    reply = await use(fixture, resolve, entry_point="modal", revision=1, fields={"which": "0", "cause": ""})

    assert "not confirmed" in reply.text and await stored(fixture) == []
    assert [row.subject for row in await fixture.rows(MessageRow) if row.kind == "cause"] == ["INC-1"]


async def test_who_resolves_while_alerts_fire_is_told_which_and_that_they_open_it_again(fixture: ApprovalsFixture) -> None:
    await fixture.alert_fires()
    form = await use(fixture, resolve)
    reply = await use(fixture, resolve, entry_point="modal", revision=1, fields={"which": "0", "cause": ""})

    text = "1 alert still fires: ErrorsHigh on checkout. If it is still reported after 10 min, the card opens again."
    assert form.intro == text and reply.text.endswith(text)


async def test_who_resolves_is_told_that_what_does_not_recover_opens_it_again_where_its_source_reports_ends(
    fixture: ApprovalsFixture,
) -> None:
    await fixture.alert_fires()
    about = {"source": "am", "fingerprint": "f0", "name": "Earlier", "severity": "critical", "labels": {}, "annotations": {}}
    async with fixture.db.write() as session:
        session.add(AlertRow(**about, status="resolved", starts_at=NOW, received_at=NOW))

    form = await use(fixture, resolve)
    assert form.intro == "1 alert still fires: ErrorsHigh on checkout. If it still fires in 10 min, the card opens again."


async def test_what_has_ended_is_not_told_to_who_resolves(fixture: ApprovalsFixture) -> None:
    await fixture.alert_fires()
    async with fixture.db.write() as session:
        await session.exec(update(EpisodeRow).values(status="resolved"))

    assert (await use(fixture, resolve)).intro == ""


def test_of_many_alerts_that_fire_the_first_are_named_and_the_rest_counted() -> None:
    alerts = [FiringAlerts(f"Alert {name}", "checkout", 2) for name in "abcde"]

    assert firing_text(alerts, ends_are_reported=False).startswith(
        "10 alerts still fire: Alert a on checkout, Alert b on checkout, Alert c on checkout and 2 more kinds. If one is"
    )


async def test_a_choice_from_a_ranking_that_changed_meanwhile_is_not_stored_but_the_words_are(
    fixture: ApprovalsFixture,
) -> None:
    fields = {"which": "1", "cause": "a cable of search"}
    await rank_anew(fixture)

    await use(fixture, resolve, entry_point="modal", revision=1, fields=fields)

    assert await stored(fixture) == [("a cable of search", "search", "", "alice")]
