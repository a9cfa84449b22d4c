"""Who is on call, leads and may lead now."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.core.action import Tier
from bot.core.approvals.policy import policy_version
from bot.core.approvals.roster import GroupCopy, IncidentRoles, Roster, Rota
from bot.core.config import Config
from tests.unit.builders import NOW

PEOPLE = {name: {"slack": f"U{name.upper()}"} for name in ("alice", "bob", "carol", "mallory")}


def roster(on_call: dict[str, Any], groups: dict[str, GroupCopy] | None = None, **values: Any) -> Roster:
    config = {"people": PEOPLE, "services": {"checkout": {"on_call": on_call, "owners": ["carol"]}}, **values}
    return Roster(Config.model_validate(config), groups or {})


def test_the_rotation_turns_at_its_hour() -> None:
    rights = roster({"rotation": ["alice", "bob"], "every": "1d", "starts": NOW})

    assert rights.rota("checkout", NOW).on_call == ("alice",)
    assert rights.rota("checkout", NOW + timedelta(hours=23)).secondary == ("bob",)
    assert rights.rota("checkout", NOW + timedelta(days=1)).on_call == ("bob",)


def turns_at(moment: str, **more: Any) -> tuple[str, ...]:
    """Who is on call at a moment by a rotation that began on a Monday at nine in Berlin, in winter."""
    rota = {"rotation": ["alice", "bob"], "every": "1w", "starts": "2026-01-05T09:00:00+01:00", **more}
    return roster(rota).rota("checkout", datetime.fromisoformat(moment)).on_call


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-01-12T08:59:59+01:00", "2026-01-12T09:00:00+01:00"),
        ("2026-03-30T08:59:59+02:00", "2026-03-30T09:00:00+02:00"),
        ("2026-07-06T08:59:59+02:00", "2026-07-06T09:00:00+02:00"),
        ("2026-10-26T08:59:59+01:00", "2026-10-26T09:00:00+01:00"),
    ],
)
def test_the_hand_over_follows_the_clocks_of_its_time_zone(before: str, after: str) -> None:
    zone = {"time_zone": "Europe/Berlin"}

    assert {turns_at(before, **zone), turns_at(after, **zone)} == {("alice",), ("bob",)}


def test_without_a_time_zone_the_hand_over_is_every_so_many_hours() -> None:
    assert (
        turns_at("2026-07-06T09:30:00+02:00") == turns_at("2026-07-06T08:30:00+02:00") != turns_at("2026-07-06T10:00:00+02:00")
    )


def test_a_rota_without_a_time_zone_leaves_the_version_of_the_policy_as_it_was() -> None:
    rotation = {"rotation": ["alice"]}
    plain, zoned = roster(rotation), roster({**rotation, "time_zone": "Europe/Berlin"})

    assert "time_zone" not in plain.config.services["checkout"].on_call.model_dump()
    assert policy_version(plain.config) != policy_version(zoned.config)


@pytest.mark.parametrize(
    ("on_call", "notice"),
    [
        ({"rotation": ["alice", "bob"], "every": "1w"}, "nobody takes turns without `starts`: alice is always on call"),
        ({"rotation": ["alice"], "usergroup": "S1"}, "the usergroup counts, and nobody reads the rotation beside it"),
    ],
)
def test_a_rota_that_does_not_do_what_it_seems_to_is_named(on_call: dict[str, Any], notice: str) -> None:
    (own,) = roster(on_call).config.rota_notices()
    (default,) = roster({}, default_on_call=on_call).config.rota_notices()

    assert own.startswith(f"services.checkout.on_call: {notice}") and default.startswith(f"default_on_call: {notice}")


def test_a_user_group_of_which_no_member_is_known_is_named() -> None:
    unknown_members = roster({"usergroup": "S1"}, people={"carol": {"email": "carol@example.com"}})

    (notice,) = unknown_members.config.rota_notices()
    assert notice.startswith("services.checkout.on_call: nobody of the usergroup is called: name its members under `people`")


def test_a_rota_that_takes_turns_or_is_one_persons_needs_no_word() -> None:
    for on_call in ({"rotation": ["alice", "bob"], "starts": NOW}, {"rotation": ["alice"]}, {"usergroup": "S1"}, {}):
        assert roster(on_call).config.rota_notices() == []


def test_nobody_is_on_call_before_the_rotation_starts() -> None:
    assert roster({"rotation": ["alice"], "starts": NOW}).rota("checkout", NOW - timedelta(seconds=1)).on_call == ()


def test_a_user_groups_members_are_on_call_by_user_id() -> None:
    groups = {"S1": GroupCopy(frozenset({"UBOB", "USOMEBODY"}), timedelta(0))}

    assert roster({"usergroup": "S1"}, groups).rota("checkout", NOW).on_call == ("bob",)


def test_whoever_acts_alone_is_seen_by_the_secondary_or_the_others_of_a_group_without_order() -> None:
    ordered = Rota(on_call=("alice",), secondary=("bob",))
    group = Rota(on_call=("alice", "bob", "carol"))

    assert ordered.others("alice") == ("bob",) and group.others("bob") == ("alice", "carol")


def test_a_copy_older_than_twelve_hours_makes_nobody_on_call() -> None:
    groups = {"S1": GroupCopy(frozenset({"UBOB"}), timedelta(hours=13))}

    rota = roster({"usergroup": "S1"}, groups).rota("checkout", NOW)

    assert (rota.readable, rota.on_call) == (False, ())


DEFAULT = {"default_on_call": {"rotation": ["mallory"]}}


def test_the_default_on_call_stands_in_where_a_service_is_unknown_or_has_nobody() -> None:
    assert roster({"rotation": ["alice"]}, **DEFAULT).rota("checkout", NOW).on_call == ("alice",)
    for on_call, service in (({}, "checkout"), ({"rotation": ["alice"]}, "elsewhere"), ({}, "")):
        assert roster(on_call, **DEFAULT).rota(service, NOW).on_call == ("mallory",)
    assert roster({}, **DEFAULT).rostered() == {"carol", "mallory"}


def test_where_a_rota_cannot_be_read_the_default_is_called_and_gets_no_rights() -> None:
    unread = roster({"usergroup": "S1"}, **DEFAULT)

    assert unread.called("checkout", NOW) == ("mallory",)
    assert not unread.eligibility("mallory", "checkout", NOW).on_call


def test_a_lead_that_was_handed_over_gives_rights_to_rostered_people_only() -> None:
    rights = roster({"rotation": ["alice"]})

    assert rights.eligibility("carol", "payments", NOW, roles=IncidentRoles("carol", handed_over=True)).commander
    assert not rights.eligibility("mallory", "checkout", NOW, roles=IncidentRoles("mallory", handed_over=True)).commander
    assert not rights.eligibility("mallory", "checkout", NOW, roles=IncidentRoles(deputies=("mallory",))).deputy


def test_a_lead_that_was_taken_gives_rights_only_to_whose_service_it_is_anyway() -> None:
    rights = roster({"rotation": ["alice"]}, approvers={"deputies": ["bob"]})

    by_rota = rights.eligibility("alice", "checkout", NOW, roles=IncidentRoles("alice"))
    by_ownership = rights.eligibility("carol", "checkout", NOW, roles=IncidentRoles("carol"))
    elsewhere = rights.eligibility("carol", "payments", NOW, roles=IncidentRoles("carol"))

    assert by_rota.commander and by_ownership.commander
    assert elsewhere.rostered and not elsewhere.commander and not elsewhere.stands


def test_strangers_have_no_roles() -> None:
    roles = IncidentRoles("nobody", handed_over=True)

    assert not roster({"rotation": ["alice"]}).eligibility("nobody", "checkout", NOW, roles=roles).in_roster


def test_approvers_are_on_call_then_the_lead_then_deputies_and_at_tier_three_owners() -> None:
    rights = roster({"rotation": ["alice"], "starts": NOW}, approvers={"deputies": ["bob"]})

    assert rights.approvers("checkout", Tier.TWO, NOW, roles=IncidentRoles("carol")) == ("alice", "carol", "bob")
    assert rights.approvers("checkout", Tier.THREE, NOW) == ("alice", "bob", "carol")
    assert rights.approvers("checkout", Tier.TWO, NOW, roles=IncidentRoles("mallory"), requesters=frozenset({"bob"})) == (
        "alice",
    )
