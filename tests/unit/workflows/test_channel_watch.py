"""What each channel is stays known for the sorter, which cannot ask."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.actor import UNKNOWN, ChannelAccess
from bot.core.alert import Severity
from bot.core.config import Config
from bot.store.db.database import Database
from bot.store.incidents import incidents
from bot.workflows.channel_watch import AGAIN_SECONDS, AT_ONCE, FIRST, READ_EVERY_SECONDS, ChannelWatch
from tests.unit.store.databases import Clock, open_database

SERVICES = {f"s{n}": {"channel": f"C{n}"} for n in range(1, 6)}


class Slack:
    def __init__(self, *public: str) -> None:
        self.asked: list[str] = []
        self.listed = 0
        self.public = frozenset(public)

    async def read_channels(self) -> frozenset[str]:
        self.listed += 1
        return self.public

    async def channel_access(self, channel: str) -> ChannelAccess:
        self.asked.append(channel)
        return UNKNOWN if channel == "C000000404" else ChannelAccess()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    db = await open_database(tmp_path, Clock())
    yield db
    await db.close()


def watch(db: Database, slack: Slack, moments: list[float], **services: object) -> ChannelWatch:
    config = Config.model_validate({"default_channel": "C0", "services": services})
    return ChannelWatch(db, config, slack, monotonic=lambda: moments[-1])


async def test_every_channel_is_read_at_once_and_again_a_minute_later_a_few_at_a_time(db: Database) -> None:
    slack, moments = Slack(), [0.0]
    watching = watch(db, slack, moments, **SERVICES)

    await watching.once()
    await watching.once()
    assert slack.asked == ["C0", "C1", "C2", "C3", "C4", "C5"]

    moments.append(READ_EVERY_SECONDS)
    await watching.once()
    await watching.once()
    assert slack.asked[6 : 6 + AT_ONCE] == ["C0", "C1", "C2"] and slack.asked[6 + AT_ONCE :] == ["C3", "C4", "C5"]


async def test_public_channels_are_read_together_and_only_the_others_one_by_one(db: Database) -> None:
    slack, moments = Slack(*(f"C{n}" for n in range(5))), [0.0]
    watching = watch(db, slack, moments, **SERVICES)

    await watching.once()
    await watching.once()
    assert (slack.listed, slack.asked) == (1, ["C5"])

    moments.append(READ_EVERY_SECONDS)
    await watching.once()
    assert (slack.listed, slack.asked) == (2, ["C5", "C5"])


async def test_of_very_many_channels_some_wait_so_that_slack_still_answers_people(db: Database) -> None:
    slack = Slack()
    watching = watch(db, slack, [0.0], **{f"s{n}": {"channel": f"CN{n:02}"} for n in range(50)})

    await watching.once()
    at_first = len(slack.asked)
    await watching.once()

    assert (at_first, len(set(slack.asked))) == (FIRST, FIRST + AT_ONCE)


async def test_a_channel_of_which_slack_did_not_say_what_it_is_is_asked_for_again_soon(db: Database) -> None:
    slack, moments = Slack(), [0.0]
    watching = watch(db, slack, moments, shop={"channel": "C000000404"})

    await watching.once()
    moments.append(AGAIN_SECONDS)
    await watching.once()

    assert slack.asked == ["C0", "C000000404", "C000000404"]


async def test_slack_is_not_asked_where_everything_stands_in_one_channel(db: Database) -> None:
    slack = Slack()

    await watch(db, slack, [0.0], shop={}).once()

    assert slack.asked == []


async def test_a_channel_in_which_somebody_declared_an_incident_is_known_too(db: Database) -> None:
    slack = Slack()
    watching = watch(db, slack, [0.0], shop={})

    await incidents.declare(db, title="x", severity=Severity.SEV2, service="", channel="C9", by="alice", group_ref="", key="1")
    await watching.once()

    assert slack.asked == ["C0", "C9"]
