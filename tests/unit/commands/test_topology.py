"""`topology`: what ties a service to others, and the lines that would declare it."""

import pytest

from bot.commands.topology import topology
from bot.core.alerts.ties.topology import CallSource
from bot.core.errors import NotFound
from bot.store.alerts.ties.learned import LearnedTopology
from tests.unit.approvals_fixture import ApprovalsFixture
from tests.unit.commands.using import use


async def test_learned_and_declared_ties_are_shown_and_what_differs_is_proposed(fixture: ApprovalsFixture) -> None:
    for _ in range(2):
        await LearnedTopology(fixture.db).note_calls(CallSource.METRICS, [("checkout", "search")])

    reply = await use(fixture, topology, "alice", ref="AL-1", text="", entry_point="slash")

    assert reply.text.split("\n") == [
        "Topology of checkout:",
        "Learned: checkout calls search (metrics, 2 reads, last 0 s ago).",
        "Read: metrics read at 2026-03-01 03:00 UTC: 1 call between services.",
        "Not declared: search. For tocsin.yaml:",
        "services:",
        "  checkout:",
        "    depends_on: [search]",
    ]


async def test_a_service_of_which_nothing_is_known_says_so(fixture: ApprovalsFixture) -> None:
    reply = await use(fixture, topology, "alice", ref="", text="search", entry_point="slash")

    assert reply.text == (
        "Topology of search:\nNeither traces nor metrics were read so far: what they would show is not known."
    )
    with pytest.raises(NotFound, match="mail is no service of the catalogue"):
        await use(fixture, topology, "alice", ref="", text="mail", entry_point="slash")
