"""The roster: who is on call, owns, commands or may command a service now. Rights come from nowhere else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.core.action import Tier
from bot.core.approvals import in_force
from bot.core.config import Config
from bot.core.config.policy_snapshot import GROUP
from bot.core.config.services import OnCall

STALE_ROTA = timedelta(hours=12)
"""A last good copy of a rota serves this long, for tiers 1 and 2."""
FRESH_ROTA = timedelta(minutes=2)
"""A copy up to this age counts as read now: one press asks Slack at most once."""


@dataclass(frozen=True)
class GroupCopy:
    """The members of a Slack user group (user ids) and how old this copy is. `age` is None if nothing was ever read."""

    members: frozenset[str] = frozenset()
    age: timedelta | None = None


@dataclass(frozen=True)
class Rota:
    """Who is on call for one service now. `readable` is False when it cannot be read and no copy is young enough."""

    on_call: tuple[str, ...] = ()
    secondary: tuple[str, ...] = ()
    readable: bool = True
    age: timedelta = timedelta(0)

    @property
    def fresh(self) -> bool:
        """Read now, not from a copy."""
        return self.readable and self.age <= FRESH_ROTA

    def others(self, person: str) -> tuple[str, ...]:
        """Who should know when `person` acts alone: the secondary, else everybody else who is on call."""
        return tuple(other for other in self.secondary or self.on_call if other != person)


class OnCallNow(NamedTuple):
    """Whom to call about a service now."""

    people: tuple[str, ...]
    readable: bool = True
    """False where the service's own rota cannot be read: somebody else may be on it, and the default on-call is called."""


@dataclass(frozen=True)
class Eligibility:
    """What one person is to one service and incident now. Everything is False unless the roster says so."""

    person: str = ""
    in_roster: bool = False
    """Among the configured people."""
    rostered: bool = False
    """On some rota, an owner of something, or a deputy."""
    on_call: bool = False
    secondary: bool = False
    commander: bool = False
    deputy: bool = False
    owner: bool = False
    admin: bool = False
    rota: Rota = field(default_factory=lambda: Rota(readable=False))

    @property
    def stands(self) -> bool:
        """Whether this service or incident is theirs in any role."""
        return self.on_call or self.secondary or self.commander or self.deputy or self.owner


@dataclass(frozen=True)
class IncidentRoles:
    """Who leads an incident and stands in for whoever does. `handed_over`: by somebody who had the right to."""

    lead: str = ""
    deputies: tuple[str, ...] = ()
    handed_over: bool = False


NO_ROLES = IncidentRoles()


@dataclass(frozen=True)
class Roster:
    """People, rotas, owners, deputies and admins of one configuration, with the user groups as last read."""

    config: Config
    groups: Mapping[str, GroupCopy] = field(default_factory=dict)

    def person_of(self, slack_user: str) -> str:
        """The person key of a Slack user id, the main one where somebody has two accounts; "" for anyone else."""
        people = in_force.people(self.config).items()
        return next((self.config.person_key(key) for key, person in people if slack_user and person.slack == slack_user), "")

    def slack_of(self, person: str) -> str:
        """The Slack user id of a person key; "" if the file names none."""
        configured = self.config.people.get(person)
        return configured.slack if configured else ""

    def rota(self, service: str, now: datetime) -> Rota:
        """Who is on call for `service`; the default on-call where it is unknown or nobody is.

        A rota that cannot be read is no empty one: nobody else gets the rights of whoever is on it.
        """
        configured = self.config.services.get(service)
        own = self._of(configured.on_call, now) if configured else Rota()
        return own if own.on_call or not own.readable else self.default(now)

    def default(self, now: datetime) -> Rota:
        """Who is on call where nobody else is."""
        return self._of(self.config.default_on_call, now)

    def called(self, service: str, now: datetime) -> tuple[str, ...]:
        """Whom to call about `service`: the default on-call too where its own rota cannot be read."""
        return self.rota(service, now).on_call or self.default(now).on_call

    def on_call_now(self, service: str, now: datetime) -> OnCallNow:
        """Whom to call about `service`, and whether that is who is on its rota."""
        return OnCallNow(self.called(service, now), self.rota(service, now).readable)

    def _of(self, on_call: OnCall, now: datetime) -> Rota:
        return self._of_group(on_call.usergroup) if on_call.usergroup else _of_rotation(on_call, now)

    def _of_group(self, group: str) -> Rota:
        copy = self.groups.get(group, GroupCopy())
        if copy.age is None or copy.age > STALE_ROTA:
            return Rota(readable=False)
        # A user group has no order: all of its members are on call, and each is the other's secondary.
        members = tuple(sorted(person for user in copy.members if (person := self.person_of(user))))
        return Rota(on_call=members, age=copy.age)

    def rostered(self) -> frozenset[str]:
        """Everyone on some rota, an owner of something, or a deputy."""
        people: set[str] = {*self.config.approvers.deputies, *self.config.default_on_call.rotation}
        for service in self.config.services.values():
            people.update(service.owners, service.on_call.rotation)
        for copy in self.groups.values():
            people.update(person for user in copy.members if (person := self.person_of(user)))
        return frozenset(people & set(self.config.people)) & self._rostered_before()

    def _rostered_before(self) -> frozenset[str]:
        """Whom the confirmed policy has on some rota; everybody where nothing is held back."""
        confirmed = self.config.confirmed
        return self.members_of(confirmed.rostered) if confirmed else frozenset(self.config.people)

    def reachable(self) -> frozenset[str]:
        """People of the file with an account that counts now."""
        people = in_force.people(self.config).items()
        return frozenset(self.config.person_key(key) for key, person in people if person.slack or person.email)

    def members_of(self, names: Iterable[str]) -> frozenset[str]:
        """Persons, with the groups among the names as they were last read."""
        groups = [self._of_group(name.removeprefix(GROUP)).on_call for name in names if name.startswith(GROUP)]
        return frozenset(names).union(*groups)

    def approvers(
        self,
        service: str,
        tier: Tier,
        now: datetime,
        *,
        roles: IncidentRoles = NO_ROLES,
        requesters: frozenset[str] = frozenset(),
    ) -> tuple[str, ...]:
        """Who may approve now, by name: on call first, then who leads, deputies and, at tier 3, owners."""
        owners = self.config.services[service].owners if tier is Tier.THREE and service in self.config.services else ()
        lead = roles.lead if self.eligibility(roles.lead, service, now, roles=roles).commander else ""
        deputies = (*roles.deputies, *self.config.approvers.deputies)
        names = dict.fromkeys((*self.rota(service, now).on_call, lead, *deputies, *owners))
        rostered = self.rostered()
        return tuple(
            n
            for n in names
            if n in rostered
            and not (tier is Tier.TWO and n in requesters)
            and self.eligibility(n, service, now, roles=roles).stands
        )

    def eligibility(self, person: str, service: str, now: datetime, *, roles: IncidentRoles = NO_ROLES) -> Eligibility:
        """What `person` is now. `roles` are those of the incident; they count only if rostered.

        Whoever leads commands only by rota, ownership or deputyship, or if the lead was handed over by one who commands.
        """
        if not person or person not in self.config.people:
            return Eligibility()
        rota = self.rota(service, now)
        rostered = person in self.rostered()
        configured = self.config.services.get(service)
        own = Eligibility(
            person=person,
            in_roster=True,
            rostered=rostered,
            on_call=person in rota.on_call,
            secondary=person in rota.secondary,
            deputy=rostered and (person in self.config.approvers.deputies or person in roles.deputies),
            owner=configured is not None and person in configured.owners,
            admin=person in self.config.approvers.admins,
            rota=rota,
        )
        own = self._held_back(own, service, roles)
        return replace(own, commander=rostered and person == roles.lead and (roles.handed_over or own.stands))

    def _held_back(self, own: Eligibility, service: str, roles: IncidentRoles) -> Eligibility:
        """Without what the confirmed policy does not give: a wider one counts once a second person agrees."""
        confirmed = self.config.confirmed
        if confirmed is None:
            return own
        on_rota = own.person in self.members_of(confirmed.on_call_of(service))
        return replace(
            own,
            on_call=own.on_call and on_rota,
            secondary=own.secondary and on_rota,
            deputy=own.deputy and own.person in (*confirmed.deputies, *roles.deputies),
            owner=own.owner and own.person in confirmed.owners.get(service, ()),
            admin=own.admin and own.person in confirmed.admins,
        )

    def on_call_anywhere(self, person: str, now: datetime) -> bool:
        """Whether `person` is on call for some service now."""
        return any(person in self.rota(service, now).on_call for service in self.config.services)


def _of_rotation(on_call: OnCall, now: datetime) -> Rota:
    people = on_call.rotation
    if not people:
        return Rota()
    if on_call.starts is not None and now < on_call.starts:
        return Rota()
    shifts = _since(on_call.starts, now, on_call.time_zone) // on_call.every if on_call.starts is not None else 0
    first = people[shifts % len(people)]
    second = people[(shifts + 1) % len(people)]
    return Rota(on_call=(first,), secondary=(second,) if second != first else ())


def _since(start: datetime, now: datetime, time_zone: str) -> timedelta:
    """How far the clocks of a time zone went on: a day on which they are changed is a day as any other. Without one, time."""
    if not time_zone:
        return now - start
    zone = ZoneInfo(time_zone)
    return now.astimezone(zone).replace(tzinfo=None) - start.astimezone(zone).replace(tzinfo=None)
