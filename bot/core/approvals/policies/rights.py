"""Who may do what under one configuration, for every person, action and service; and what another configuration changes."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import product
from typing import NamedTuple

from bot.core.action import Tier
from bot.core.alert import Severity
from bot.core.approvals.policies.situations import Ask, Expected, Situation, answer
from bot.core.approvals.policies.widening import gains, snapshot_of
from bot.core.config import Config

OWN, OTHERS = "their own request", "another's request"
BOT = "Tocsin's own proposal"


class Right(NamedTuple):
    """One person may do one thing in one kind of situation."""

    person: str
    ask: Ask
    action: str
    service: str
    request: str
    severity: str

    @property
    def text(self) -> str:
        """`bob may approve rollback on checkout (another's request, in a SEV2)`."""
        when = f", in a {self.severity}" if self.severity != Severity.NONE else ""
        about = f" ({self.request}{when})" if self.ask is not Ask.PROPOSE else when.replace(", ", " ")
        return f"{self.person} may {self.ask} {self.action} on {self.service}{about}"


class Difference(NamedTuple):
    """What one configuration allows and the other does not."""

    wider: tuple[Right, ...]
    narrower: tuple[Right, ...]
    tiers: tuple[str, ...]
    """`rollback: tier 2 → tier 3`."""
    gains: tuple[str, ...]
    """What a running bot lets count only once a second person has confirmed it."""

    @property
    def is_wider(self) -> bool:
        """Whether somebody may do more."""
        return bool(self.wider or self.gains)


def rights(config: Config, tiers: Mapping[str, Tier], now: datetime) -> frozenset[Right]:
    """Everything that somebody may do alone now: what a second person must agree to counts once each may.

    Rotas that are user groups of Slack are not known here: their members count as nobody.
    """
    return frozenset(_rights(config, tiers, now))


def _rights(config: Config, tiers: Mapping[str, Tier], now: datetime) -> Iterator[Right]:
    severities = (Severity.NONE, Severity.SEV2)
    for person, action, severity in product(config.people, (*config.actions, *config.plans), severities):
        for service in config.services_of(action):
            for ask, request in _questions():
                requester = {OWN: person, OTHERS: _somebody_else(config, person), BOT: ""}[request]
                situation = Situation(
                    that="", ask=ask, who=person, action=action, service=service, requester=requester, severity=severity,
                    reason="the difference of two policies",
                    expect=Expected.ALLOW,
                )  # fmt: skip
                if (request != OTHERS or requester) and answer(config, situation, tiers, now).allow:
                    yield Right(person, ask, action, service, request, severity)


def _questions() -> Iterator[tuple[Ask, str]]:
    yield Ask.PROPOSE, OWN
    yield from product((Ask.APPROVE, Ask.DENY, Ask.BREAK_GLASS), (OWN, OTHERS, BOT))


def _somebody_else(config: Config, person: str) -> str:
    return next((name for name in config.people if name != person), "")


def difference(
    old: Config, new: Config, old_tiers: Mapping[str, Tier], new_tiers: Mapping[str, Tier], now: datetime
) -> Difference:
    """What `new` allows beyond `old`, and what it allows no more, in the order of the text."""
    before, after = rights(old, old_tiers, now), rights(new, new_tiers, now)
    changed = [
        f"{name}: {old_tiers[name].label} → {new_tiers[name].label}"
        for name in new_tiers
        if name in old_tiers and old_tiers[name] is not new_tiers[name]
    ]
    confirmed = gains(snapshot_of(old, old_tiers), snapshot_of(new, new_tiers), now)
    texts = tuple(gain.text for gain in confirmed)
    return Difference(tuple(sorted(after - before)), tuple(sorted(before - after)), tuple(changed), texts)
