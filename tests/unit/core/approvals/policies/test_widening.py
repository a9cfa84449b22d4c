"""A changed policy is compared with the one that counts: what people gain is said in plain words."""

from typing import Any

import pytest

from bot.core.action import Tier
from bot.core.approvals import in_force
from bot.core.approvals.policies.policy_review import Confirmation, confirmers_there, is_base, leaves_somebody
from bot.core.approvals.policies.widening import Gain, gains, snapshot_of
from bot.core.approvals.roster import GroupCopy, Roster
from bot.core.config import Config
from bot.core.config.policy_snapshot import PolicySnapshot
from tests.unit.builders import NOW, at

FREEZE = {"starts": "2026-02-01T00:00:00Z", "ends": "2026-04-01T00:00:00Z", "reason": "release"}
BASE: dict[str, Any] = {
    "people": {name: {"slack": f"U{name.upper()}"} for name in ("alice", "bob", "carol", "root", "mallory")},
    "services": {
        "checkout": {"owners": ["carol"], "on_call": {"rotation": ["alice"]}},
        "search": {"on_call": {"usergroup": "S1"}},
    },
    "default_on_call": {"rotation": ["root"]},
    "approvers": {"deputies": ["bob"], "admins": ["root"]},
    "actions": {"restart": {"kind": "x"}, "failover": {"kind": "x", "tier": 3}},
    "solo": "off",
    "freezes": [FREEZE],
    "limits": {"targets_an_hour": 2},
    "standing_approvals": {"verified": 7, "veto": "5m"},
}


def config(**changes: Any) -> Config:
    return Config.model_validate({**BASE, **changes})


def snapshot(config: Config) -> PolicySnapshot:
    tiers = {name: Tier(entry.tier or 2) for name, entry in config.actions.items()}
    return snapshot_of(config, tiers)


def said(**changes: Any) -> list[str]:
    return [gain.text for gain in gains(snapshot(config()), snapshot(config(**changes)), NOW)]


def people(**changes: Any) -> dict[str, Any]:
    return {"people": {**BASE["people"], **changes}}


@pytest.mark.parametrize(
    ("changes", "gained"),
    [
        (
            {"approvers": {"deputies": ["bob", "mallory"], "admins": ["root"]}},
            "mallory becomes a deputy, who may approve everything",
        ),
        (
            {"approvers": {"deputies": ["bob"], "admins": ["root", "bob"]}},
            "bob becomes an admin, who lets automation run again",
        ),
        (
            {"services": {**BASE["services"], "checkout": {"owners": ["carol", "bob"], "on_call": {"rotation": ["alice"]}}}},
            "bob becomes an owner of checkout",
        ),
        (
            {
                "services": {
                    **BASE["services"],
                    "checkout": {"owners": ["carol"], "on_call": {"rotation": ["alice", "mallory"]}},
                }
            },
            "mallory may be on call for checkout",
        ),
        (
            {"services": {**BASE["services"], "checkout": {"owners": ["carol"], "on_call": {"usergroup": "S9"}}}},
            "whoever is in the Slack user group S9 may be on call for checkout",
        ),
        ({"services": {**BASE["services"], "payments": {"on_call": {"rotation": ["bob"]}}}}, "bob may be on call for payments"),
        ({"default_on_call": {"rotation": ["root", "mallory"]}}, "mallory may be on call for services without an on-call"),
        (people(alice={"slack": "UOTHER"}), "UOTHER counts as alice"),
        (people(alice={"slack": "UALICE", "email": "Mallory@example.com"}), "mallory@example.com counts as alice"),
        (people(second={"slack": "USECOND", "same_as": "alice"}), "USECOND counts as alice"),
        (people(dave={"slack": "UDAVE"}), "UDAVE counts as dave"),
        ({"break_glass": ["alice"]}, "alice may break the glass: approve alone, at any tier"),
        (
            {"autonomy": {"checkout": {"actions": {"restart": "standing"}}}},
            "autonomy of restart on checkout: approve → standing",
        ),
        ({"standing_approvals": {"verified": 5, "veto": "5m"}}, "a standing approval takes 7 → 5 verified runs"),
        ({"standing_approvals": {"verified": 7, "veto": "10s"}}, "time to stop what a standing approval starts: 300 s → 10 s"),
        ({"solo": "after"}, "the on-call may approve alone what they asked for: solo off → after"),
        ({"freezes": []}, "the freeze 2026-02-01 00:00 UTC to 2026-04-01 00:00 UTC (release) no longer holds as it did"),
        ({"freezes": [{**FREEZE, "services": ["search"]}]}, "the freeze 2026-02-01 00:00 UTC"),
        ({"freezes": [{**FREEZE, "ends": "2026-03-20T00:00:00Z"}]}, "the freeze 2026-02-01 00:00 UTC"),
        ({"limits": {"targets_an_hour": 3}}, "targets an hour: 2 → 3"),
        ({"actions": {"restart": {"kind": "x"}, "failover": {"kind": "x"}}}, "failover: tier 3 → tier 2"),
        (
            {"actions": {**BASE["actions"], "restart": {"kind": "x", "helps": ["change"]}}},
            "restart counts as taking a change back, which a freeze lets through",
        ),
    ],
)
def test_what_a_person_gains_is_said_in_plain_words(changes: dict[str, Any], gained: str) -> None:
    text = said(**changes)

    assert any(line.startswith(gained) for line in text), text


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"approvers": {"deputies": [], "admins": ["root"]}},
        {"actions": {**BASE["actions"], "delete_volume": {"kind": "x", "tier": 3}}},
        {"actions": {"restart": {"kind": "x", "tier": 3}, "failover": {"kind": "x", "tier": 3}}},
        {"freezes": [FREEZE, {**FREEZE, "services": ["search"]}]},
        {"freezes": [{**FREEZE, "ends": "2026-05-01T00:00:00Z"}]},
        {"autonomy": {"checkout": "suggest"}},
        {"triage_from": "SEV3", "prometheus": {"url": "http://prometheus:9090"}},
        {
            "services": {
                **BASE["services"],
                "checkout": {"owners": ["carol"], "on_call": {"rotation": ["alice"], "every": "1d"}},
            }
        },
    ],
)
def test_what_gives_nobody_more_needs_nobody(changes: dict[str, Any]) -> None:
    assert said(**changes) == []


def test_a_freeze_that_is_over_may_go() -> None:
    old = snapshot(config(freezes=[{**FREEZE, "ends": "2026-02-02T00:00:00Z"}]))

    assert gains(old, snapshot(config(freezes=[])), NOW) == ()


def test_a_person_without_any_role_may_be_listed_where_no_user_group_is_a_rota() -> None:
    services = {"checkout": BASE["services"]["checkout"]}
    before, after = config(services=services), config(services=services, **people(dave={"slack": "UDAVE"}))

    assert gains(snapshot(before), snapshot(after), NOW) == ()


# ---------------------------------------------------------------- held back


def held_back(**changes: Any) -> Config:
    wide = config(**changes)
    wide.hold_back(snapshot(config()))
    return wide


def test_while_a_wider_policy_waits_both_have_to_allow() -> None:
    wide = held_back(
        services={"checkout": {"owners": ["carol", "bob"], "on_call": {"rotation": ["mallory", "alice"]}}},
        approvers={"deputies": ["mallory"], "admins": ["root", "mallory"]},
    )
    mallory = Roster(wide).eligibility("mallory", "checkout", NOW)
    bob = Roster(wide).eligibility("bob", "checkout", NOW)

    assert not (mallory.on_call or mallory.deputy or mallory.admin or mallory.rostered)
    assert not (bob.owner or bob.deputy), "bob is no deputy under the new file, and no owner under the old one"
    assert Roster(wide).eligibility("carol", "checkout", NOW).owner


def test_whoever_is_asked_to_approve_may_do_so_under_both() -> None:
    wide = held_back(services={"checkout": {"on_call": {"rotation": ["mallory", "alice"]}}})

    assert Roster(wide).approvers("checkout", Tier.TWO, NOW) == ("bob",)


def test_a_user_group_counts_for_the_service_for_which_it_counted_before() -> None:
    services = {"search": {"on_call": {"usergroup": "S1"}}, "checkout": {"on_call": {"usergroup": "S1"}}}
    roster = Roster(held_back(services=services), {"S1": GroupCopy(frozenset({"UBOB"}), at(0) - NOW)})

    assert roster.eligibility("bob", "search", NOW).on_call
    assert not roster.eligibility("bob", "checkout", NOW).on_call


def test_an_account_that_waits_is_nobody_s() -> None:
    wide = held_back(**people(alice={"slack": "UALICE", "email": "mallory@example.com"}, bob={"slack": "UMALLORY2"}))
    known = in_force.people(wide)

    assert (known["alice"].slack, known["alice"].email, known["bob"].slack) == ("UALICE", "", "")
    assert Roster(wide).person_of("UMALLORY2") == ""


def test_freezes_solo_limits_and_tiers_stay_the_stricter_ones() -> None:
    wide = held_back(
        freezes=[], solo="immediate", limits={"targets_an_hour": 5}, actions={"failover": {"kind": "x"}, "new": {"kind": "x"}}
    )

    assert len(in_force.freezes(wide)) == 1 and in_force.solo(wide) == "off"
    assert in_force.limits(wide).targets_an_hour == 2
    assert in_force.tier(wide, "failover", Tier.TWO) is Tier.THREE
    assert in_force.tier(wide, "new", Tier.TWO) is Tier.TWO
    assert not in_force.undoes(wide, "new", configured=True)


def test_neither_break_glass_nor_a_higher_rung_counts_before_it_was_confirmed() -> None:
    wide = held_back(break_glass=["alice"], autonomy={"checkout": "standing", "search": "observe"})

    assert in_force.break_glass(wide) == ()
    assert in_force.autonomy(wide, "checkout", "restart") == "approve"
    assert in_force.autonomy(wide, "search", "restart") == "observe"
    assert (
        in_force.standing_approvals(held_back(standing_approvals={"verified": 5, "veto": "10s"})) == config().standing_approvals
    )


# ---------------------------------------------------------------- who confirms


def test_admins_and_owners_confirm_else_deputies_else_whoever_is_on_a_rota() -> None:
    nobody = {"services": {"checkout": {"on_call": {"rotation": ["alice"]}}}, "default_on_call": {}}

    assert snapshot(config()).confirmers == {"root", "carol"}
    assert snapshot(config(**nobody, approvers={"deputies": ["bob"]})).confirmers == {"bob"}
    assert snapshot(config(**nobody, approvers={})).confirmers == {"alice"}
    assert snapshot(Config()).confirmers == frozenset()


def wish(
    person: str, loaded_by: str, confirmers: set[str], gainers: tuple[str, ...] = ("mallory",), **more: Any
) -> Confirmation:
    gained = [Gain("x", gainer) for gainer in gainers]
    people = {"root", "carol", "alice", "bob"}
    return Confirmation(
        person=person, loaded_by=loaded_by, confirmers=frozenset(confirmers), gains=gained, people=people, **more
    )


LOCAL = "alice of this machine"


@pytest.mark.parametrize(
    ("person", "loaded_by", "gainer", "refusal"),
    [
        ("root", "tocsin", "mallory", ""),
        ("mallory", "tocsin", "mallory", "You can't confirm this. carol or root can."),
        ("", "tocsin", "mallory", "You can't confirm this. carol or root can."),
        ("root", "root of this machine", "mallory", "You had it loaded, so somebody else confirms it."),
        ("root", LOCAL, "root", "It gives you more, so somebody else confirms it."),
    ],
)
def test_a_second_person_confirms(person: str, loaded_by: str, gainer: str, refusal: str) -> None:
    assert wish(person, loaded_by, {"root", "carol"}, (gainer,)).refusal == refusal


def test_where_there_is_nobody_else_whoever_gains_confirms() -> None:
    alone = wish("root", "tocsin", {"root"}, ("root",))

    assert alone.refusal == "" and alone.is_enough(())


@pytest.mark.parametrize("loaded_by", ["tocsin", "SIGHUP", "deploy of this machine", "user 1000 of this machine", "alice"])
def test_where_nobody_knows_who_loaded_it_two_different_people_confirm(loaded_by: str) -> None:
    assert not wish("root", loaded_by, {"root", "carol"}).is_enough({"root"})
    assert wish("root", loaded_by, {"root", "carol"}).is_enough({"carol"})
    assert not wish("root", loaded_by, {"root", "carol"}).is_enough({"mallory"}), "who may no more does not count"


def test_where_a_known_person_loaded_it_one_other_confirms() -> None:
    assert wish("root", LOCAL, {"root", "carol"}).is_enough(())


def test_two_who_both_gain_do_not_confirm_without_the_one_who_does_not() -> None:
    both = {"root", "carol", "bob"}

    assert wish("bob", "tocsin", both, ("bob", "carol")).refusal == ""
    assert not wish("bob", "tocsin", both, ("bob", "carol")).is_enough({"carol"})
    assert wish("bob", "tocsin", both, ("bob", "carol")).is_enough({"root"})


def test_whoever_takes_the_others_out_first_does_not_confirm_alone_for_a_day() -> None:
    until_now = frozenset({"root", "carol"})

    assert "less than a day ago carol could" in wish("root", "SIGHUP", {"root"}, until_now=until_now).refusal
    assert wish("root", "SIGHUP", {"root"}, until_now=frozenset({"root"})).refusal == ""


def test_deputies_stand_in_for_confirmers_who_left_and_a_rota_where_there_are_not_two() -> None:
    everybody = {"alice", "bob", "carol", "root"}
    policy = snapshot(config())

    assert confirmers_there(policy, everybody, frozenset) == ({"root", "carol"}, False)
    assert confirmers_there(policy, everybody - {"root"}, frozenset) == ({"carol"}, False)
    assert confirmers_there(policy, {"alice", "bob"}, frozenset) == ({"alice", "bob"}, True)
    two = snapshot(config(approvers={"deputies": ["alice", "bob"]}, services={}))
    assert confirmers_there(two, {"alice"}, frozenset) == ({"alice"}, False), "deputies confirm where there is nobody else"
    assert confirmers_there(policy, {"mallory"}, frozenset) == (frozenset(), True)


def test_a_policy_without_accounts_leaves_nobody_who_could_confirm() -> None:
    old = snapshot(config())

    assert not leaves_somebody(old, PolicySnapshot())
    assert leaves_somebody(old, snapshot(config(people={"bob": BASE["people"]["bob"]})))


def test_a_narrower_policy_is_the_next_base_unless_it_leaves_nobody_to_confirm() -> None:
    old = snapshot(config())

    assert is_base(old, snapshot(config(approvers={"deputies": [], "admins": ["root"]})))
    assert not is_base(old, PolicySnapshot())
    assert not is_base(old, snapshot(config(services={"search": BASE["services"]["search"]}, approvers={"deputies": ["bob"]})))
