"""Names in the configuration that refer to nothing, or to two things: an error at the start instead of at night."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from bot.core.action import Tier
from bot.core.config import Config, verbs
from bot.core.config.actions import ActionConfig
from bot.core.config.plans import PlanConfig
from bot.core.config.services import ServiceConfig, plain_email
from bot.core.text.addresses import forbidden_as_written
from bot.core.text.near_names import meant

_SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Problem(NamedTuple):
    """What does not fit, and the path of keys and indices to it."""

    text: str
    at: tuple[str | int, ...]


def configuration_problems(config: Config) -> Iterator[Problem]:
    """Everything in the file that does not fit together, in its order."""
    yield from _people(config)
    for key, service in config.services.items():
        yield from _of_service(config, key, service)
    yield from _strangers(config, config.default_on_call.rotation, "default_on_call", "rotation")
    for group in ("deputies", "admins"):
        yield from _strangers(config, getattr(config.approvers, group), "approvers", group)
    yield from _strangers(config, config.break_glass, "break_glass")
    yield from _autonomy(config)
    yield from _freezes(config)
    for key, entry in config.actions.items():
        yield from _of_action(config, key, entry)
    for key, plan in config.plans.items():
        yield from _of_plan(config, key, plan)
    yield from _sources(config)


def _absent(name: str, part: str, config: Config) -> str:
    return f"{name!r} is not among {part}{meant(name, getattr(config, part))}"


def _people(config: Config) -> Iterator[Problem]:
    holders: dict[str, str] = {}
    for key, person in config.people.items():
        # People are identified by their user id and address: two entries with one of them would be the same person twice.
        if person.slack and holders.setdefault(person.slack, key) != key:
            yield Problem(f"is {holders[person.slack]}'s already", ("people", key, "slack"))
        email = plain_email(person.email)
        if email and holders.setdefault(email, key) != key:
            text = f"is {holders[email]}'s already: one person has one entry; a second account is an entry with `same_as`"
            yield Problem(text, ("people", key, "email"))
        if person.same_as and (why := _no_main_entry(config, key, person.same_as)):
            yield Problem(why, ("people", key, "same_as"))


def _autonomy(config: Config) -> Iterator[Problem]:
    for service, autonomy in config.autonomy.items():
        if service not in config.services:
            yield Problem(_absent(service, "services", config), ("autonomy", service))
        for action in autonomy.actions:
            if action not in config.actions:
                yield Problem(_absent(action, "actions", config), ("autonomy", service, "actions", action))


def _freezes(config: Config) -> Iterator[Problem]:
    """A misspelt service would be frozen by nothing, and nobody would notice before something ran on it."""
    for number, freeze in enumerate(config.freezes):
        for index, name in enumerate(freeze.services):
            if name not in config.services:
                yield Problem(_absent(name, "services", config), ("freezes", number, "services", index))


def _no_main_entry(config: Config, key: str, main: str) -> str:
    if main == key or main not in config.people:
        return f"{main!r} is not another entry among people"
    return f"{main!r} is itself the same as {config.people[main].same_as!r}" if config.people[main].same_as else ""


def _strangers(config: Config, names: Collection[str], *at: str | int) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name not in config.people:
            yield Problem(_absent(name, "people", config), (*at, index))


def _of_service(config: Config, key: str, service: ServiceConfig) -> Iterator[Problem]:
    yield from _strangers(config, service.owners, "services", key, "owners")
    yield from _strangers(config, service.on_call.rotation, "services", key, "on_call", "rotation")
    for index, other in enumerate(service.depends_on):
        at = ("services", key, "depends_on", index)
        if other not in config.services:
            yield Problem(_absent(other, "services", config), at)
        if other == key:
            yield Problem("a service does not depend on itself", at)


def _of_action(config: Config, key: str, entry: ActionConfig) -> Iterator[Problem]:
    if why := forbidden_as_written(entry.url, entry.allow_private):
        yield Problem(f"{why}: it would be refused after people approved it", ("actions", key, "url"))
    if why := _wrong_tier(key, entry):
        yield Problem(why, ("actions", key, "tier"))
    if entry.undo and entry.undo not in config.actions:
        yield Problem(_absent(entry.undo, "actions", config), ("actions", key, "undo"))
    unknown = [(index, name) for index, name in enumerate(entry.services) if name not in config.services]
    for index, name in unknown:
        yield Problem(_absent(name, "services", config), ("actions", key, "services", index))
    if entry.verify and not unknown and (missing := _missing_signal(config, entry.verify.signal, entry.services)):
        yield Problem(missing, ("actions", key, "verify", "signal"))


def _of_plan(config: Config, key: str, plan: PlanConfig) -> Iterator[Problem]:
    if key in config.actions:
        yield Problem(f"{key!r} is among actions too: a proposal names one of them", ("plans", key))
    if plan.tier is not None and plan.tier not in (Tier.TWO, Tier.THREE):
        yield Problem(f"{plan.tier} is no tier of a plan: 2 or 3", ("plans", key, "tier"))
    for index, name in enumerate(plan.services):
        if name not in config.services:
            yield Problem(_absent(name, "services", config), ("plans", key, "services", index))
    for index, step in enumerate(plan.steps):
        entry = config.actions.get(step.action)
        if entry is None:
            yield Problem(
                _absent(step.action, "actions", config),
                ("plans", key, "steps", index, "action"),
            )
        elif entry.services and (elsewhere := [name for name in plan.services if name not in entry.services]):
            text = f"{step.action} is not for {', '.join(elsewhere)}, which this plan lists"
            yield Problem(text, ("plans", key, "steps", index, "action"))


def _wrong_tier(key: str, entry: ActionConfig) -> str:
    """Why a tier that the file names is none, or calls harmless what its words say is not; "" if it may stand."""
    if entry.tier is None:
        return ""
    if entry.tier not in (Tier.ONE, Tier.TWO, Tier.THREE):
        return f"{entry.tier} is no tier of an action: 1 to 3. Nothing of the catalogue runs without people"
    names = verbs.telling_names(key, entry.url, entry.body, entry.options)
    least_tier = verbs.least_tier_of(*names)
    if entry.tier < least_tier:
        return f"{entry.tier} is too low for what is called {verbs.verb_of(*names)}: {least_tier.value} at least"
    return ""


def _missing_signal(config: Config, signal: str, services: Collection[str]) -> str:
    """Why an action for these services (empty: for all) could never be verified by a signal; "" if it can.

    For all is right as soon as one of them has the signal; a catalogue that is still empty misses none.
    """
    lacking = [name for name in services or config.services if signal not in config.services[name].signals]
    if services:
        return f"{lacking[0]} has no signal {signal!r}" if lacking else ""
    return f"no service has a signal {signal!r}" if lacking and len(lacking) == len(config.services) else ""


def _sources(config: Config) -> Iterator[Problem]:
    """A source's name is part of an address and of a variable; each variable holds the token of one source alone."""
    holders = {"API": "Tocsin's own API"}
    for key, source in config.sources.items():
        variable = key.upper().replace("-", "_")
        if not _SOURCE_NAME.fullmatch(key):
            yield Problem("a source's name is part of its address: letters, digits, - and _", ("sources", key))
        elif (holder := holders.setdefault(variable, f"source {key}")) != f"source {key}":
            yield Problem(f"TOCSIN_TOKEN_{variable} is the token of {holder} already: choose another name", ("sources", key))
        for index, name in enumerate(source.services):
            if name not in config.services:
                yield Problem(_absent(name, "services", config), ("sources", key, "services", index))
        yield from _replica(config, key)
        yield from _unreachable_rules(config, key)


def _replica(config: Config, key: str) -> Iterator[Problem]:
    original, at = config.sources[key].replica_of, ("sources", key, "replica_of")
    if original and original not in config.sources:
        yield Problem(_absent(original, "sources", config), at)
    elif original and (original == key or config.sources[original].replica_of):
        yield Problem(f"{original!r} is a replica itself: name the source that is none", at)


def _unreachable_rules(config: Config, key: str) -> Iterator[Problem]:
    """A rule that can match nothing, for one before it fits all that it could."""
    rules = config.sources[key].fingerprint
    for index, rule in enumerate(rules):
        if any(before.covers(rule) for before in rules[:index]):
            at = ("sources", key, "fingerprint", index)
            yield Problem("matches nothing: a rule before it takes all that it fits", at)
