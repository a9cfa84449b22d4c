"""What an investigation names of alerts elsewhere: of what is not for everybody who reads it, the service alone."""

import pytest

from bot.core.actor import NONE_KNOWN, UNKNOWN, ChannelAccess, KnownChannels
from bot.core.config import Config
from bot.store.incidents.privacy import set_private
from bot.store.triage.visibility import visible_alerts
from bot.workflows.read_access import ReadAccess
from tests.unit.builders import at
from tests.unit.store.databases import CATALOGUE, PUBLIC, SortingFixture, alert

PRIVATE = ChannelAccess(is_private=True, members=frozenset({"U1"}))
LEAK = alert("p", name="AcmeLeak", labels={"service": "payments"}, annotations={"summary": "of acme"})
"""Of a service of channel C2; checkout, which is investigated, stands in C1."""


async def named(sorting: SortingFixture, channels: KnownChannels, group: str = "AL-1") -> tuple[bool, bool]:
    """Whether the investigation of a group reads the name of what fires, and of what fired before."""

    async def access(channel: str) -> ChannelAccess:
        return channels.access.get(channel, UNKNOWN)

    reader = visible_alerts(sorting.db, group, ReadAccess(sorting.db, access).recallable, CATALOGUE, "C0")
    read = str(await reader.active()), str(await reader.earlier(at(60)))
    assert "payments" in read[0]
    return "cme" in read[0], "cme" in read[1]


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (PUBLIC, (True, True)),
        (KnownChannels({**PUBLIC.access, "C2": PRIVATE}), (False, False)),
        (KnownChannels({**PUBLIC.access, "C1": ChannelAccess(is_shared=True)}), (False, False)),
        (NONE_KNOWN, (False, False)),
    ],
)
async def test_an_alert_of_another_channel_is_named_only_to_those_who_may_read_it(
    sorting: SortingFixture, channels: KnownChannels, expected: tuple[bool, bool]
) -> None:
    sorting = SortingFixture(sorting.db, sorting.clock, channels=NONE_KNOWN)
    await sorting.receive(alert("c"), LEAK)

    assert await named(sorting, channels) == expected


async def test_in_the_private_channel_itself_its_alerts_are_named(sorting: SortingFixture) -> None:
    sorting = SortingFixture(sorting.db, sorting.clock, channels=NONE_KNOWN)
    await sorting.receive(alert("c"), LEAK)

    assert await named(sorting, KnownChannels({**PUBLIC.access, "C2": PRIVATE}), "AL-2") == (True, True)


async def test_a_private_incident_is_not_named_to_readers_of_another_public_channel(sorting: SortingFixture) -> None:
    sorting = SortingFixture(sorting.db, sorting.clock, channels=NONE_KNOWN)
    await sorting.receive(alert("c"), LEAK)
    await set_private(sorting.db, "INC-2", "alice", private=True)

    assert await named(sorting, PUBLIC) == (False, False)


@pytest.mark.parametrize(("access", "expected"), [(ChannelAccess(), True), (PRIVATE, False)])
async def test_an_alert_in_no_group_belongs_to_its_service_s_channel_too(
    sorting: SortingFixture, access: ChannelAccess, expected: bool
) -> None:
    quiet = {"default_channel": "C0", "maintenance": [
        {"match": {"service": "payments"}, "starts": at(-60), "ends": at(60), "reason": "moving"},
    ]}  # fmt: skip
    sorting = SortingFixture(sorting.db, sorting.clock, Config.model_validate(quiet))
    await sorting.receive(alert("c"), LEAK)

    assert (await named(sorting, KnownChannels({**PUBLIC.access, "C2": access})))[0] is expected
