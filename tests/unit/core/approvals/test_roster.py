"""Who is on call, leads and may lead now."""

from datetime import timedelta
from typing import Any

from bot.core.action import Tier
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
