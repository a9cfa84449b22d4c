"""What only the renderer knows: whom to mention, which hosts are live, what must not leave the house."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from bot.core.config import Config
from bot.core.config.actions import ActionConfig
from bot.core.config.alerts import SourceConfig
from bot.core.config.services import Person
from bot.core.config.systems import LinkConfig, PrometheusConfig
from bot.slack.render import Renderer, allowed_hosts, called_hosts
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow, MessageRow
from tests.messages.words import text_of
from tests.unit.builders import NOW

CONFIG = Config(people={"alice": Person(slack="U1")}, prometheus=PrometheusConfig(url="http://prom.example:9090"))


async def on_call(service: str) -> tuple[str, ...]:
    return ("alice",)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}", clock=lambda: NOW)
    async with db.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield db
    await db.close()


async def with_group(db: Database, *, incident: bool, **annotations: str) -> None:
    async with db.write() as session:
        if incident:
            session.add(
                IncidentRow(id=7, title="x", severity="SEV2", service="checkout", state="OPEN", channel="C1", declared_at=NOW)
            )
            await session.flush()
        session.add(
            GroupRow(
                id=1, key="k", title="HighErrorRate", service="checkout", severity="SEV2", state="FIRING", channel="C1",
                opened_at=NOW, last_alert_at=NOW, incident_id=7 if incident else None,
            )
        )  # fmt: skip
        session.add(
            EpisodeRow(
                source="p", fingerprint="f", starts_at=NOW, status="firing", name="HighErrorRate", service="checkout",
                severity="SEV2", labels={}, annotations=annotations, group_id=1, first_seen_at=NOW, last_seen_at=NOW,
                link="http://prom.example:9090/graph",
            )
        )  # fmt: skip


def row(**values: Any) -> MessageRow:
    fields: dict[str, Any] = {"created_at": NOW, "changed_at": NOW, **values}
    return MessageRow(key="card:AL-1", channel="C1", kind="card", subject="AL-1", **fields)


async def shown(db: Database, message: MessageRow, **values: Any) -> str:
    rendering = await Renderer(db, CONFIG, on_call, **values).render(message)
    assert rendering is not None
    return json.dumps(rendering.blocks, ensure_ascii=False) + text_of(rendering.blocks) + rendering.text


async def test_a_severity_that_nobody_mapped_is_told_on_the_card(db: Database) -> None:
    await with_group(db, incident=False)
    async with db.write() as session:
        episode = await session.get(EpisodeRow, 1)
        assert episode is not None
        episode.labels = {"severity": "spicy"}

    assert "severity `spicy` is not mapped" in await shown(db, row())
    async with db.write() as session:
        (await session.get(EpisodeRow, 1)).labels = {"severity": "Disaster"}  # type: ignore[union-attr]
    assert "not mapped" not in await shown(db, row())


async def test_the_on_call_is_mentioned_in_the_first_post_of_an_incident_and_never_in_an_edit(db: Database) -> None:
    await with_group(db, incident=True)

    assert (await shown(db, row())).count("<@U1>") == 1
    edited = await shown(db, row(ts="1.0"))
    assert "<@" not in edited and "alice" in edited


async def test_without_an_incident_and_out_of_a_storm_nobody_is_mentioned(db: Database) -> None:
    await with_group(db, incident=False)
    assert "<@" not in await shown(db, row())


async def test_a_card_that_comes_out_of_a_storm_mentions_nobody_again(db: Database) -> None:
    await with_group(db, incident=True)

    assert "<@" not in await shown(db, row(created_at=NOW + timedelta(minutes=2)))


async def test_a_card_that_somebody_deleted_comes_back_without_a_mention(db: Database) -> None:
    await with_group(db, incident=True)

    assert "<@" not in await shown(db, row(sent_at=NOW))


async def test_only_a_group_that_nobody_touched_is_said_to_close_by_itself(db: Database) -> None:
    await with_group(db, incident=True)

    async def cleared(**values: Any) -> str:
        async with db.write() as session:
            group = await session.get(GroupRow, 1)
            assert group is not None
            group.state, group.cleared_at = "MONITORING", NOW
            for name, value in values.items():
                setattr(group, name, value)
        return await shown(db, row(ts="1.0"))

    assert "closes by itself" in await cleared()
    assert "closes by itself" not in await cleared(human_at=NOW)


async def test_only_configured_hosts_are_live_links(db: Database) -> None:
    await with_group(db, incident=False, runbook_url="https://attacker.example/rb")

    text = await shown(db, row())
    assert "<http://prom.example:9090/graph|Source>" in text
    assert "https://attacker.example" not in text
    assert allowed_hosts(Config(links=LinkConfig(hosts=("wiki.example",)))) == {"wiki.example"}


@pytest.mark.parametrize(
    ("url", "live"),
    [
        ("https://zabbix.example.com/ui", "zabbix.example.com"),
        ("https://shop.app.opsgenie.com", "shop.app.opsgenie.com"),
        ("https://app.opsgenie.com/", "app.opsgenie.com/alert"),
    ],
)
def test_the_pages_that_a_source_names_as_its_senders_are_live_links(url: str, live: str) -> None:
    sources = {"prod": SourceConfig(kind="zabbix", options={"url": url}), "other": SourceConfig(kind="generic")}

    assert allowed_hosts(Config(sources=sources)) == {live}


async def test_a_strangers_page_on_a_host_that_the_team_uses_too_is_no_link(db: Database) -> None:
    await with_group(
        db, incident=False, runbook_url="https://github.com/attacker/rb", dashboard_url="https://github.com/shop/d"
    )
    config = CONFIG.model_copy(update={"links": LinkConfig(hosts=("github.com/shop",))})

    rendering = await Renderer(db, config, on_call).render(row())
    text = json.dumps(rendering.blocks, ensure_ascii=False) if rendering else ""
    assert "<https://github.com/shop/d|" in text
    assert "https://github.com/attacker" not in text and "hxxps[:]//github[.]com/attacker/rb" in text


async def test_an_alerts_own_expression_is_live_whatever_prometheus_calls_itself(db: Database) -> None:
    await with_group(db, incident=False, dashboard_url="http://0bf3e1c2:9090/graph?g0.expr=up&g0.tab=1")
    renderer = Renderer(db, CONFIG, on_call)

    rendering = await renderer.render(row())
    renderer.allow("https://metrics.example")
    later = await renderer.render(row())

    assert rendering and "<http://prom.example:9090/graph?g0.expr=up&g0.tab=1|Dashboard>" in json.dumps(rendering.blocks)
    assert later and "<https://metrics.example/graph?g0.expr=up&g0.tab=1|Dashboard>" in json.dumps(later.blocks)


async def test_secrets_are_masked_in_every_text_and_buttons_keep_their_values(db: Database) -> None:
    await with_group(db, incident=False, summary="hunter2 leaked from AL-1")

    text = await shown(db, row(), redact=lambda t: t.replace("hunter2", "[secret]").replace("AL-1", "XX"))
    assert "hunter2" not in text and "[secret]" in text
    assert '"value": "AL-1"' in text


async def test_a_message_whose_subject_is_gone_shows_nothing(db: Database) -> None:
    assert await Renderer(db, CONFIG, on_call).render(row()) is None


ON_CALL = {"checkout": ("alice", "bob"), "payments": ("bob", "carol"), "search": ("dave",), "cart": ("erin", "frank", "alice")}
STORM = Config(people={name: Person(slack=f"U-{name}") for name in ("alice", "bob", "carol", "dave", "erin", "frank")})


async def with_storm(db: Database, *services: str, incidents: bool = True) -> None:
    """Groups AL-1, AL-2, ... of these services on one storm card."""
    async with db.write() as session:
        for number, service in enumerate(services, 1):
            moments = {"opened_at": NOW, "last_alert_at": NOW}
            session.add(
                GroupRow(
                    id=number, key=f"k{number}", title="Errors", service=service, severity="SEV2", state="FIRING",
                    channel="C1", on_storm_card="storm:C1:1", incident_id=number if incidents else None, **moments,
                )
            )  # fmt: skip


async def test_a_storm_tells_the_severities_that_nobody_mapped(db: Database) -> None:
    await with_group(db, incident=False)
    async with db.write() as session:
        first, episode = await session.get(GroupRow, 1), await session.get(EpisodeRow, 1)
        assert first and episode
        first.on_storm_card, episode.severity, episode.labels = "storm:C1:1", "SEV3", {"severity": "spicy"}

    message = MessageRow(key="storm:C1:1", channel="C1", kind="storm", subject="storm:C1:1", created_at=NOW, changed_at=NOW)
    assert "severity `spicy` is not mapped" in await shown(db, message)


async def mentioned(db: Database, kind: str, subject: str, **values: Any) -> list[str] | None:
    """Who is notified; None if nothing is shown."""

    async def rota(service: str) -> tuple[str, ...]:
        return ON_CALL[service]

    fields: dict[str, Any] = {"channel": "C1", "created_at": NOW, "changed_at": NOW, **values}
    rendering = await Renderer(db, STORM, rota).render(MessageRow(key=f"{kind}:x", kind=kind, subject=subject, **fields))
    return None if rendering is None else re.findall(r"<@U-(\w+)>", json.dumps(rendering.blocks))


async def test_a_storm_mentions_two_on_calls_of_each_service_with_an_incident_and_nobody_twice(db: Database) -> None:
    await with_storm(db, "checkout", "payments", "cart")

    assert await mentioned(db, "storm", "storm:C1:1") == ["alice", "bob", "carol", "erin", "frank"]
    assert await mentioned(db, "storm", "storm:C1:1", ts="1.0") == []


async def test_a_storm_below_the_severity_of_incidents_mentions_nobody(db: Database) -> None:
    await with_storm(db, "checkout", "payments", incidents=False)

    assert await mentioned(db, "storm", "storm:C1:1") == []


async def test_a_service_that_a_storm_reaches_later_notifies_only_those_whom_it_did_not(db: Database) -> None:
    await with_storm(db, "checkout", "payments", "search")

    assert await mentioned(db, "raised", "AL-2") == ["carol"]
    assert await mentioned(db, "raised", "AL-3") == ["dave"]


async def test_when_everybody_was_told_of_a_storm_there_is_no_further_line(db: Database) -> None:
    await with_storm(db, "checkout", "payments", "checkout")

    assert await mentioned(db, "raised", "AL-3") is None


def test_what_remediations_call_is_read_as_it_is_and_is_no_live_link() -> None:
    config = Config(actions={"rollback": ActionConfig(kind="run_webhook", url="https://CI.example.com/hooks/{service}")})

    assert called_hosts(config) == {"ci.example.com"} and allowed_hosts(config) == frozenset()


# ---------------------------------------------------------------- a card that its own channel refuses


def notice(**values: Any) -> MessageRow:
    fields: dict[str, Any] = {"created_at": NOW + timedelta(minutes=9), "changed_at": NOW, **values}
    return MessageRow(key="withheld:card:AL-1", channel="C0", kind="withheld", subject="card:AL-1", **fields)


async def withheld(db: Database, **values: Any) -> MessageRow:
    """The notice about the card of AL-1, which its channel refuses."""
    async with db.write() as session:
        session.add(row(undelivered="is_archived; withheld", **values))
    return notice()


async def test_a_notice_calls_whom_the_card_would_have_called_and_names_nothing_of_the_alert(db: Database) -> None:
    await with_group(db, incident=True, summary="5xx ratio is 7.4 %")

    text = await shown(db, await withheld(db))

    assert "<@U1>" in text and "SEV2" in text and "AL-1" in text and "it is archived" in text
    assert not [word for word in ("checkout", "HighErrorRate", "7.4", "prom.example") if word in text]


async def test_a_notice_calls_nobody_whom_the_card_has_called_and_none_for_a_card_out_of_a_storm(db: Database) -> None:
    await with_group(db, incident=True)

    assert "<@" not in await shown(db, await withheld(db, sent_at=NOW))
    async with db.write() as session:
        card = await session.get(MessageRow, "card:AL-1")
        assert card is not None
        card.sent_at, card.created_at = None, NOW + timedelta(minutes=2)
    assert "<@" not in await shown(db, notice())


async def test_a_notice_about_a_line_stands_only_where_it_calls_somebody(db: Database) -> None:
    async with db.write() as session:
        line = {"channel": "C1", "kind": "line", "subject": "HighErrorRate", "created_at": NOW, "changed_at": NOW}
        session.add(MessageRow(key="line:1", undelivered="is_archived; withheld", **line))

    async def rendered(**values: Any) -> Any:
        message = MessageRow(key="withheld:line:1", channel="C0", kind="withheld", subject="line:1", **values)
        return await Renderer(db, CONFIG, on_call).render(message)

    assert await rendered(created_at=NOW) is None
    assert "<@U1> A message cannot be shown" in json.dumps((await rendered(created_at=NOW, mentions=["alice"])).blocks)


async def test_a_notice_is_over_once_the_card_and_what_is_below_it_stand_in_their_channel(db: Database) -> None:
    await with_group(db, incident=True)
    await withheld(db)
    async with db.write() as session:
        card = await session.get(MessageRow, "card:AL-1")
        assert card is not None
        card.undelivered = ""

    assert "AL-1 can be shown again" in await shown(db, notice(ts="1.0"))


async def test_a_notice_about_lines_of_a_channel_names_the_channel_and_nothing_of_the_lines(db: Database) -> None:
    async with db.write() as session:
        line = {"channel": "C1", "kind": "line", "subject": "alice made a rule", "created_at": NOW, "changed_at": NOW}
        session.add(MessageRow(key="line:1", undelivered="is_archived; withheld", **line))
    of_channel = {"channel": "C0", "kind": "withheld", "created_at": NOW, "changed_at": NOW}

    text = await shown(db, MessageRow(key="withheld:C1", subject="C1", **of_channel))

    assert "A message cannot be shown in its own channel <#C1>" in text and "rule" not in text and "tocsin.yaml" not in text
    assert "A message can be shown again" in await shown(db, MessageRow(key="withheld:C2", subject="C2", **of_channel))
