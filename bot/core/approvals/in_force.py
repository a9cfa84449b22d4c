"""What counts now: the configuration as it is, held back by the policy that was confirmed where it is wider than that."""

from datetime import timedelta

from bot.core.action import Autonomy, Tier
from bot.core.config import Config
from bot.core.config.actions import Freeze, Limits, SoloMode
from bot.core.config.autonomy import StandingApprovalsConfig
from bot.core.config.services import Person

_SOLO = (SoloMode.OFF, SoloMode.AFTER, SoloMode.IMMEDIATE)
"""The stricter one first."""


def break_glass(config: Config) -> tuple[str, ...]:
    """Whom both name."""
    return tuple(name for name in config.break_glass if config.confirmed is None or name in config.confirmed.break_glass)


def autonomy(config: Config, service: str, action: str) -> Autonomy:
    """How far Tocsin goes under both."""
    own = config.autonomy_of(service, action)
    return min(own, config.confirmed.autonomy_of(service, action), key=lambda one: one.rank) if config.confirmed else own


def standing_approvals(config: Config) -> StandingApprovalsConfig:
    """What a standing approval takes: the more of both."""
    own = config.standing_approvals
    if config.confirmed is None:
        return own
    verified, veto = config.confirmed.standing_verified, timedelta(seconds=config.confirmed.veto_seconds)
    return StandingApprovalsConfig(verified=max(own.verified, verified), veto=max(own.veto, veto))


def freezes(config: Config) -> tuple[Freeze, ...]:
    """Those of both."""
    return config.freezes + (config.confirmed.freezes if config.confirmed else ())


def solo(config: Config) -> SoloMode:
    """The stricter of both."""
    return min(config.solo, config.confirmed.solo, key=_SOLO.index) if config.confirmed else config.solo


def limits(config: Config) -> Limits:
    """The lower of both, one by one."""
    own, confirmed = config.limits, config.confirmed.limits if config.confirmed else config.limits
    return Limits(
        targets_an_hour=min(own.targets_an_hour, confirmed.targets_an_hour),
        open_proposals=min(own.open_proposals, confirmed.open_proposals),
    )


def tier(config: Config, entry: str, computed: Tier) -> Tier:
    """The higher of both. An entry that the confirmed policy does not know has its own."""
    return max(computed, Tier(config.confirmed.tiers.get(entry, computed))) if config.confirmed else computed


def undoes(config: Config, entry: str, *, configured: bool) -> bool:
    """Whether an entry counts as taking a change back: under both."""
    return configured and (config.confirmed is None or entry in config.confirmed.undoes)


def people(config: Config) -> dict[str, Person]:
    """People with the accounts that were theirs before: an account that waits is nobody's."""
    if config.confirmed is None:
        return config.people
    accounts = config.confirmed.accounts
    return {key: _with_accounts(person, accounts.get(config.person_key(key), ())) for key, person in config.people.items()}


def _with_accounts(person: Person, accounts: tuple[str, ...]) -> Person:
    slack = person.slack if person.slack in accounts else ""
    return person.model_copy(update={"slack": slack, "email": person.email if account_of(person.email) in accounts else ""})


def account_of(email: str) -> str:
    """An address as a snapshot has it."""
    return email.strip().casefold()
