"""A channel of other bots' alerts: whose messages count, edits, threads, what was missed, and a database that is away."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.alert import Alert
from bot.core.config.alerts import SourceConfig
from bot.plugins import Source, discover
from bot.slack.alert_channels import RETRY_SECONDS, AlertChannels
from bot.store.alerts.intake.writer import Busy
from bot.workflows.messages.delivery import Unreachable

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
FIRST = f"{NOW.timestamp() - 300:.6f}"
LATER = f"{NOW.timestamp() - 60:.6f}"
KINDS = discover(["bot.sources"], Source)
Json = dict[str, Any]


class Stored:
    """Stands where intake stands; `away` writes fail first."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.unreadable: list[str] = []
        self.away = 0

    async def put(self, alerts: Any, changes: Any, received_at: datetime) -> None:
        if self.away:
            self.away -= 1
            raise Busy("the database does not answer")
        self.alerts += alerts

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        self.unreadable.append(problem)

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(alert.name, alert.status) for alert in self.alerts]


class Slack:
    """What stands in the channel."""

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self.joined: list[str] = []
        self.reachable = True

    async def own_ids(self) -> frozenset[str]:
        if not self.reachable:
            raise Unreachable("no connection to Slack")
        return frozenset({"U0", "B0"})

    async def join(self, channel: str) -> None:
        self.joined.append(channel)

    async def message(self, channel: str, ts: str) -> Json | None:
        if not self.reachable:
            raise Unreachable("no connection to Slack")
        return next((message for message in self.messages if message["ts"] == ts), None)

    async def since(self, channel: str, oldest: str) -> list[Json]:
        return [message for message in self.messages if float(message["ts"]) > float(oldest)]


class AlertChannelsFixture:
    """The channel C7, which is the source `legacy`."""

    def __init__(self, **options: Any) -> None:
        self.stored, self.slack, self.pauses = Stored(), Slack(), list[float]()
        config = {"legacy": SourceConfig(kind="slack_channel", options={"channel": "C7", **options})}
        self.channels = AlertChannels(
            config, KINDS, self.stored, self.slack, lambda: NOW, self._last_delivery, pause=self._pause
        )
        self.last: datetime | None = None

    async def _last_delivery(self, source: str) -> datetime | None:
        return self.last

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def hears(self, **event: Any) -> None:
        message = {"type": "message", "subtype": "bot_message", "channel": "C7", "bot_id": "B7", "ts": FIRST, **event}
        body = {"api_app_id": "A0", "authorizations": [{"user_id": "U0"}], "event": message}
        await self.channels.on_message(body)

    async def hears_edit(self, before: str, after: str, ts: str = LATER) -> None:
        message = {"bot_id": "B7", "ts": FIRST, "text": after}
        await self.hears(
            subtype="message_changed", ts=ts, message=message, previous_message={**message, "text": before}, bot_id=None
        )


async def test_a_bots_message_is_an_alert_from_its_own_moment() -> None:
    fixture = AlertChannelsFixture()

    await fixture.hears(text="[FIRING:1] Errors")

    assert fixture.stored.states == [("Errors", "firing")]
    assert fixture.stored.alerts[0].starts_at == datetime.fromtimestamp(float(FIRST), UTC)


@pytest.mark.parametrize(
    "event",
    [
        {"subtype": None, "bot_id": None, "user": "U1", "text": "looks bad"},
        {"bot_id": "B0", "app_id": "A0", "text": "AL-3 Errors"},
        {"bot_id": "B9", "user": "U0", "text": "AL-3 Errors"},
        {"channel": "C8", "text": "Errors"},
        {"subtype": "message_deleted", "text": "Errors"},
        {"subtype": "channel_join", "text": "Errors"},
    ],
)
async def test_people_tocsin_itself_and_other_channels_raise_no_alert(event: Json) -> None:
    fixture = AlertChannelsFixture()

    await fixture.hears(**event)

    assert fixture.stored.alerts == [] and fixture.stored.unreadable == []


async def test_only_the_named_bots_count() -> None:
    fixture = AlertChannelsFixture(bots=["B7"])

    await fixture.hears(text="Errors")
    await fixture.hears(text="Deploy finished", bot_id="B8")

    assert fixture.stored.states == [("Errors", "firing")]


async def test_what_a_bot_says_in_the_thread_is_about_the_alert_that_opened_it() -> None:
    fixture = AlertChannelsFixture()

    await fixture.hears(text="[FIRING:1] Errors")
    await fixture.hears(text=":white_check_mark: Resolved after 4 min", ts=LATER, thread_ts=FIRST)

    assert fixture.stored.states == [("Errors", "firing"), ("Errors", "resolved")]
    assert fixture.stored.alerts[0].fingerprint == fixture.stored.alerts[1].fingerprint


async def test_a_thread_that_another_process_opened_is_read_from_slack() -> None:
    fixture = AlertChannelsFixture()
    fixture.slack.messages = [{"bot_id": "B7", "ts": FIRST, "text": "[FIRING:1] Errors"}]

    await fixture.hears(text="Resolved", ts=LATER, thread_ts=FIRST)

    assert fixture.stored.states == [("Errors", "resolved")]


async def test_a_bots_answer_in_a_persons_thread_is_an_alert_of_its_own() -> None:
    fixture = AlertChannelsFixture()
    fixture.slack.messages = [{"user": "U1", "ts": FIRST, "text": "what is wrong?"}]

    await fixture.hears(text="Errors are high", ts=LATER, thread_ts=FIRST)

    assert fixture.stored.states == [("Errors are high", "firing")]


async def test_an_edit_updates_the_alert_even_if_it_changes_its_title() -> None:
    fixture = AlertChannelsFixture()

    await fixture.hears(text="Triggered: Errors of checkout")
    await fixture.hears_edit("Triggered: Errors of checkout", "Resolved: all fine again")

    first, last = fixture.stored.alerts
    assert (first.fingerprint, last.status) == (last.fingerprint, "resolved")


async def test_an_edit_after_a_restart_finds_the_alert_by_what_stood_there_before() -> None:
    before, after = AlertChannelsFixture(), AlertChannelsFixture()

    await before.hears(text="Triggered: Errors of checkout")
    await after.hears_edit("Triggered: Errors of checkout", "Recovered: Errors of checkout")

    assert before.stored.alerts[0].fingerprint == after.stored.alerts[0].fingerprint


async def test_an_edit_that_changes_nothing_of_the_alert_does_not_open_it_again() -> None:
    fixture = AlertChannelsFixture()

    await fixture.hears(text="Errors")
    await fixture.hears(text="Resolved: Errors", ts=LATER)
    await fixture.hears_edit("Errors", "*Errors*", ts=f"{NOW.timestamp():.6f}")

    assert fixture.stored.states == [("Errors", "firing"), ("Errors", "resolved")]


async def test_what_was_missed_is_read_oldest_first_and_the_channel_is_joined() -> None:
    fixture = AlertChannelsFixture()
    fixture.slack.messages = [
        {"bot_id": "B7", "subtype": "bot_message", "ts": FIRST, "text": "Errors"},
        {"user": "U1", "ts": LATER, "text": "I am on it"},
        {"bot_id": "B0", "ts": LATER, "text": "AL-3 Errors"},
        {"bot_id": "B7", "subtype": "bot_message", "ts": LATER, "text": "Resolved: Errors"},
    ]

    await fixture.channels.catch_up()

    assert fixture.slack.joined == ["C7"]
    assert fixture.stored.states == [("Errors", "firing"), ("Errors", "resolved")]


async def test_what_was_stored_before_is_not_read_again() -> None:
    fixture = AlertChannelsFixture()
    fixture.last = datetime.fromtimestamp(float(FIRST), UTC)
    fixture.slack.messages = [
        {"bot_id": "B7", "subtype": "bot_message", "ts": FIRST, "text": "Errors"},
        {"bot_id": "B7", "subtype": "bot_message", "ts": LATER, "text": "Disk full"},
    ]

    await fixture.channels.catch_up()
    await fixture.channels.catch_up()

    assert fixture.stored.states == [("Disk full", "firing")]


async def test_of_a_new_source_only_the_last_minutes_are_read() -> None:
    fixture = AlertChannelsFixture()
    fixture.slack.messages = [{"bot_id": "B7", "ts": f"{NOW.timestamp() - 1200:.6f}", "text": "Errors of yesterday"}]

    await fixture.channels.catch_up()

    assert fixture.stored.alerts == []


async def test_an_answer_in_a_thread_that_slack_does_not_show_ends_no_other_alert() -> None:
    fixture = AlertChannelsFixture()
    fixture.slack.reachable = False

    await fixture.channels.catch_up()
    await fixture.hears(text="Errors")
    await fixture.hears(text="Resolved", ts=LATER, thread_ts=f"{NOW.timestamp() - 900:.6f}")

    first, last = fixture.stored.alerts
    assert first.fingerprint != last.fingerprint and fixture.pauses == list(RETRY_SECONDS)


async def test_an_event_waits_for_a_database_that_is_away() -> None:
    fixture = AlertChannelsFixture()
    fixture.stored.away = 2

    await fixture.hears(text="Errors")

    assert fixture.stored.states == [("Errors", "firing")] and fixture.pauses == list(RETRY_SECONDS[:2])


async def test_a_message_that_names_no_alert_is_kept_and_listed() -> None:
    fixture = AlertChannelsFixture()

    await fixture.hears(text="", blocks=[{"type": "divider"}])

    assert fixture.stored.alerts == []
    assert fixture.stored.unreadable == ["message.text: the message holds no text that could name an alert"]
