"""Reminds people in Slack, with a pager or without: of SEV1 and SEV2 that nobody acknowledged, of monitoring that is silent."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from bot.core.alerts.heartbeat import HeartbeatKey
from bot.core.alerts.reminders import reminded, reminders_due, waited
from bot.core.approvals.roster import FRESH_ROTA
from bot.core.config import Config
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import clock_of_day
from bot.core.text.untrusted import one_line
from bot.store.oversight.paging import Unacknowledged
from bot.store.oversight.reminders import ReminderLines
from bot.workflows.rotas import Rotas

NAMED = 8
"""Groups of one storm that a reminder names; the rest is counted."""


class Reminders:
    """One line for each thread whenever it is due: the alerts of a storm share one."""

    def __init__(self, lines: ReminderLines, rotas: Rotas, config: Config) -> None:
        self.lines = lines
        self.rotas = rotas
        self.config = config

    async def remind(self, unacknowledged: Sequence[Unacknowledged]) -> None:
        """Put what is due into the threads of these alerts."""
        threads: dict[str, list[Unacknowledged]] = defaultdict(list)
        for alert in unacknowledged:
            threads[alert.thread_key].append(alert)
        for alerts in threads.values():
            await self._remind(sorted(alerts, key=lambda alert: alert.since))

    async def _remind(self, alerts: Sequence[Unacknowledged]) -> None:
        oldest, after = alerts[0], self.config.pager.unacknowledged_after
        number = reminders_due(self.lines.db.clock() - oldest.since, after)
        if not number:
            return
        people, unread = await self._people(number, alerts)
        text = _text(alerts, elapsed_text(waited(number, after)))
        why = f"The rota of {unread[0]} cannot be read" if unread else f"Nobody is on call for {oldest.service or 'it'}"
        no_on_call = f" {why}: set default_on_call in tocsin.yaml."
        key = f"reminder:{oldest.thread_key}:{oldest.since:%Y%m%dT%H%M%S}:{number}"
        await self.lines.add(key, oldest.channel, oldest.thread_key, text + ("" if people else no_on_call), people)

    async def silent(self, name: str, key: HeartbeatKey, since: datetime) -> None:
        """Say in the default channel that an always-firing rule does not come any more: then no alert may, either."""
        roster, now = await self.rotas.roster("", within=FRESH_ROTA), self.lines.db.clock()
        text = (
            f"No heartbeat ({one_line(key.rule, 60)}) from {_sender(key)} since {clock_of_day(since, now)}: "
            "new alerts may not arrive here. Check Prometheus, Alertmanager and its route to Tocsin."
        )
        await self.lines.announce(
            f"{name}:{since:%Y%m%dT%H%M%S}", self.config.default_channel, text, roster.default(now).on_call
        )

    async def silence_over(self, name: str, key: HeartbeatKey, resumed_at: datetime | None) -> None:
        """The same line says that it is over. `resumed_at`: when it came again; None where it is no longer waited for."""
        if resumed_at:
            since = clock_of_day(resumed_at, self.lines.db.clock())
            text = f"{_sender(key)} was silent and is heard again since {since}. Alerts that fire now are on their cards."
        else:
            gone = f"its heartbeat ({one_line(key.rule, 60)}) is not waited for any more"
            text = f"{_sender(key)} was silent. Whether it is heard again is not known: {gone}."
        await self.lines.amend(f"{name}:", text)

    async def _people(self, number: int, alerts: Sequence[Unacknowledged]) -> tuple[list[str], list[str]]:
        """Whom a reminder mentions, and the services whose rota cannot be read: nobody knows who is on it."""
        people: dict[str, None] = {}
        unread: list[str] = []
        for service in dict.fromkeys(alert.service for alert in alerts):
            roster, now = await self.rotas.roster(service, within=FRESH_ROTA), self.lines.db.clock()
            rota, default = roster.rota(service, now), roster.default(now)
            people |= dict.fromkeys(reminded(number, on_call=rota.on_call, secondary=rota.secondary, default=default.on_call))
            if not rota.readable:
                unread.append(service or "default_on_call")
        return list(people), unread


def _sender(key: HeartbeatKey) -> str:
    return one_line(key.source, 60) + (f" ({one_line(key.scope, 100)})" if key.scope else "")


def _text(alerts: Sequence[Unacknowledged], longest: str) -> str:
    """`longest`: how long the first of them has waited; the others came later."""
    if len(alerts) == 1:
        alert = alerts[0]
        about = f"{alert.severity} {alert.service or 'unknown service'}: {one_line(alert.title, 120)}"
        return f"Nobody has acknowledged {alert.ref} ({about}) for {longest}."
    more = f" and {len(alerts) - NAMED} more" if len(alerts) > NAMED else ""
    refs = ", ".join(alert.ref for alert in alerts[:NAMED])
    return f"Nobody has acknowledged {len(alerts):,} groups of alerts, the first for {longest}: {refs}{more}."
