"""What a changed configuration gives to people beyond what they had: it counts once a second person agrees.

Compared is who may decide, and under which limits. What an action does is no right: it stands on each card and is approved
there. So a new entry of the catalogue gives nobody more, but a lower tier of one that there was does.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from bot.core.action import Tier
from bot.core.approvals.in_force import _SOLO, account_of
from bot.core.approvals.policy import undo_of_change
from bot.core.config import Config
from bot.core.config.actions import Freeze
from bot.core.config.policy_snapshot import ANY_ACTION, ANY_SERVICE, GROUP, PolicySnapshot
from bot.core.config.services import OnCall
from bot.core.text.moments import date_to_the_minute
from bot.core.text.untrusted import counted

MAX_SERVICES = 3
"""Services that one line names; the rest is a number."""


class Gain(NamedTuple):
    """One thing that becomes possible, in words. `person`: who alone gains by it; "" where it is not one person."""

    text: str
    person: str = ""


def snapshot_of(config: Config, tiers: Mapping[str, Tier]) -> PolicySnapshot:
    """What of a configuration decides rights. `tiers`: of each entry and plan, as kinds and the file set them."""
    accounts: dict[str, set[str]] = {}
    for key, person in config.people.items():
        accounts.setdefault(config.person_key(key), set()).update({person.slack, account_of(person.email)} - {""})
    default = _names(config.default_on_call)
    return PolicySnapshot(
        accounts={person: tuple(sorted(own)) for person, own in accounts.items()},
        on_call={ANY_SERVICE: default, **{name: _rota(s.on_call, default) for name, s in config.services.items()}},
        owners={name: tuple(sorted(service.owners)) for name, service in config.services.items() if service.owners},
        deputies=tuple(sorted(config.approvers.deputies)),
        admins=tuple(sorted(config.approvers.admins)),
        break_glass=tuple(sorted(config.break_glass)),
        autonomy={service: {ANY_ACTION: one.default, **one.actions} for service, one in config.autonomy.items()},
        standing_verified=config.standing_approvals.verified,
        veto_seconds=int(config.standing_approvals.veto.total_seconds()),
        solo=config.solo,
        freezes=config.freezes,
        limits=config.limits,
        tiers={name: int(tiers[name]) for name in (*config.actions, *config.plans) if name in tiers},
        undoes=tuple(name for name, entry in config.actions.items() if undo_of_change(entry)),
    )


def _names(on_call: OnCall) -> tuple[str, ...]:
    return (GROUP + on_call.usergroup,) if on_call.usergroup else tuple(sorted(on_call.rotation))


def _rota(on_call: OnCall, default: tuple[str, ...]) -> tuple[str, ...]:
    """Who may be on call. A group may be empty, and then the default on-call's turn comes."""
    own = _names(on_call)
    return tuple(dict.fromkeys((*own, *default))) if on_call.usergroup or not own else own


def gains(old: PolicySnapshot, new: PolicySnapshot, now: datetime) -> tuple[Gain, ...]:
    """Everything that `new` allows beyond `old`; what it takes away is not looked at."""
    return (
        *_approvers(old, new),
        *_per_service(old, new),
        *_accounts(old, new),
        *_autonomy(old, new),
        *_solo(old, new),
        *_freezes(old, new, now),
        *_limits(old, new),
        *_tiers(old, new),
        *_undoes(old, new, now),
    )


def _approvers(old: PolicySnapshot, new: PolicySnapshot) -> Iterator[Gain]:
    for person in _beyond(old.deputies, new.deputies):
        yield Gain(f"{person} becomes a deputy, who may approve everything", person)
    for person in _beyond(old.admins, new.admins):
        yield Gain(f"{person} becomes an admin, who lets automation run again", person)

    for person in _beyond(old.break_glass, new.break_glass):
        yield Gain(f"{person} may break the glass: approve alone, at any tier", person)


def _autonomy(old: PolicySnapshot, new: PolicySnapshot) -> Iterator[Gain]:
    for service in dict.fromkeys((*old.autonomy, *new.autonomy)):
        for action in dict.fromkeys((*old.autonomy.get(service, ()), *new.autonomy.get(service, ()))):
            before, after = old.autonomy_of(service, action), new.autonomy_of(service, action)
            if after.rank > before.rank:
                yield Gain(f"autonomy of {action or 'everything else'} on {service}: {before} → {after}")
    if new.standing_verified < old.standing_verified:
        yield Gain(f"a standing approval takes {old.standing_verified} → {new.standing_verified} verified runs")
    if new.veto_seconds < old.veto_seconds:
        yield Gain(f"time to stop what a standing approval starts: {old.veto_seconds} s → {new.veto_seconds} s")


def _per_service(old: PolicySnapshot, new: PolicySnapshot) -> Iterator[Gain]:
    rotas, owners = dict[str, list[str]](), dict[str, list[str]]()
    for service, names in new.on_call.items():
        for name in _beyond(old.on_call_of(service), names):
            rotas.setdefault(name, []).append(service or "services without an on-call")
    for service, names in new.owners.items():
        for name in _beyond(old.owners.get(service, ()), names):
            owners.setdefault(name, []).append(service)
    for name, services in rotas.items():
        yield Gain(f"{_who(name)} may be on call for {_few(services)}", "" if name.startswith(GROUP) else name)
    for name, services in owners.items():
        yield Gain(f"{name} becomes an owner of {_few(services)}", name)


def _accounts(old: PolicySnapshot, new: PolicySnapshot) -> Iterator[Gain]:
    """Of people with a role, and of everybody where a user group of Slack is a rota: whoever is listed may be in it."""
    holders = new.rostered | set(new.admins)
    for person, accounts in new.accounts.items():
        if person in holders or new.groups:
            for account in _beyond(old.accounts.get(person, ()), accounts):
                yield Gain(f"{account} counts as {person}", person)


def _solo(old: PolicySnapshot, new: PolicySnapshot) -> Iterator[Gain]:
    if _SOLO.index(new.solo) > _SOLO.index(old.solo):
        yield Gain(f"the on-call may approve alone what they asked for: solo {old.solo} → {new.solo}")


def _freezes(old: PolicySnapshot, new: PolicySnapshot, now: datetime) -> Iterator[Gain]:
    for freeze in old.freezes:
        if freeze.ends > now and not any(_covers(other, freeze, now) for other in new.freezes):
            text = f"the freeze {date_to_the_minute(freeze.starts)} to {date_to_the_minute(freeze.ends)} ({freeze.reason})"
            yield Gain(f"{text} no longer holds as it did")


def _covers(freeze: Freeze, other: Freeze, now: datetime) -> bool:
    services = not freeze.services or (other.services and set(other.services) <= set(freeze.services))
    return bool(services) and freeze.starts <= max(other.starts, now) and freeze.ends >= other.ends


def _limits(old: PolicySnapshot, new: PolicySnapshot) -> Iterator[Gain]:
    before = dict(old.limits)
    for name, number in new.limits:
        if number > before[name]:
            yield Gain(f"{name.replace('_', ' ')}: {before[name]} → {number}")


def _tiers(old: PolicySnapshot, new: PolicySnapshot) -> Iterator[Gain]:
    for name, tier in new.tiers.items():
        if tier < old.tiers.get(name, tier):
            yield Gain(f"{name}: tier {old.tiers[name]} → tier {tier}")


def _undoes(old: PolicySnapshot, new: PolicySnapshot, now: datetime) -> Iterator[Gain]:
    if any(freeze.ends > now for freeze in new.freezes):
        for name in _beyond(old.undoes, new.undoes):
            yield Gain(f"{name} counts as taking a change back, which a freeze lets through")


def _beyond(before: Iterable[str], after: Iterable[str]) -> list[str]:
    names = set(before)
    return [name for name in after if name not in names]


def _who(name: str) -> str:
    return f"whoever is in the Slack user group {name.removeprefix(GROUP)}" if name.startswith(GROUP) else name


def _few(services: list[str]) -> str:
    shown = ", ".join(services[:MAX_SERVICES])
    more = len(services) - MAX_SERVICES
    return f"{shown} and {counted(more, 'more service')}" if more > 0 else shown
