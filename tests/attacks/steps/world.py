"""One world: real bots beside Slack's stand-in, an open incident of one service, and everything around at rest."""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.attacks.steps.cast import CHANNEL, SERVICE, accounts, configuration, merged
from tests.attacks.steps.items import Given, Unplayable
from tests.attacks.steps.names import COMMAND, FINAL, WAITING, WITHIN
from tests.attacks.steps.outside import Surroundings
from tests.attacks.steps.records import Records, Row
from tests.attacks.steps.replica import Replica
from tests.attacks.steps.workspace import Delivery, Workspace
from tests.real.processes import clean_environment

Json = dict[str, Any]
QUIET_S, REST_S, AWAY_S = 0.5, 60.0, 3.0
EVERY_S = 0.15
"""Between two looks: they cost the machine that the bots need."""
TOKEN = "token-of-am"
_REFERENCE = re.compile(r"\{([A-Za-z][A-Za-z_0-9]*(?:\.id)?|t[+-]\d+)\}")
_WORDS = {"service": SERVICE, "channel": CHANNEL}


class World:
    """`open()` it, play in it, `close()` it. Labels of the item are in `proposals`, `deliveries`, `starts`, ..."""

    def __init__(self, folder: Path, given: Given, *, hook: str, outside: Surroundings, database: str, model: bool) -> None:
        self.folder, self.given, self.hook, self.outside = folder, given, hook, outside
        self.accounts = accounts(given.roles)
        self.slack = Workspace(folder, self.accounts)
        self.database, self.model = database, model
        self.records = Records(folder / "A", database)
        self.replicas: dict[str, Replica] = {}
        self.began = datetime.now(UTC)
        self.proposals: dict[str, str] = {}
        """Label -> reference; "" for what was proposed and not taken."""
        self.deliveries: dict[str, Delivery] = {}
        self.starts: dict[str, str] = {}
        self.commands: dict[str, tuple[int, str]] = {}
        self.rows: dict[str, int] = {}
        self.heads: dict[str, str] = {}
        self.rewritten = False
        """Somebody gave proposals a state past the bot: what no workflow knows of does not move."""
        self.passed_s = 0
        self.away = False
        """The database is read-only."""
        self.incident = self.group = ""
        self.config: Json = {}

    # ------------------------------------------------------------ opening and closing

    async def open(self) -> None:
        """Everything as an item finds it."""
        await self.slack.open()
        self.own_config = merged(configuration(self.hook), self.resolved(self.given.config, strict=False))
        self.write_config(self.own_config)
        for name in ("A", "B")[: self.given.replicas]:
            self.replicas[name] = Replica(name, self.folder / name, self._environment())
        if self.database:
            code, words = await self.replicas["A"].run(["db", "upgrade"])
            if code:
                raise RuntimeError(words)
        for replica in self.replicas.values():
            if await replica.start() != "ready":
                raise RuntimeError(f"the world's bot did not start: {replica.process.tail(1500)}")
        if self.given.slack == "http":
            await self.slack.post("delivery", {"mode": "http", "bot_url": self.replicas["A"].url})
        elif self.given.sockets == 2:
            await self.replicas["A"].order("more_sockets")
        if self.given.slack == "socket":
            await self.until(self._connected)
        await self._declare()
        self.private_before = {role: len(await self.slack.private(role)) for role in self.accounts}

    async def _connected(self) -> bool:
        return bool((await self.slack.get("state"))["connections"] >= max(self.given.sockets, self.given.replicas))

    def _environment(self) -> dict[str, str]:
        addresses = self.slack.addresses
        socket = {"TOCSIN_SLACK_APP_TOKEN": addresses["app_token"]} if self.given.slack == "socket" else {}
        model = {"TOCSIN_MODEL": "scripted", "OPENAI_BASE_URL": f"{self.hook}/v1", "OPENAI_API_KEY": "k"} if self.model else {}
        return clean_environment(
            TOCSIN_CONFIG=str(self.folder / "tocsin.yaml"),
            TOCSIN_SLACK_API_URL=addresses["slack"],
            TOCSIN_SLACK_BOT_TOKEN=addresses["bot_token"],
            TOCSIN_SLACK_SIGNING_SECRET=addresses["signing_secret"],
            TOCSIN_AUDIT_KEY="key-of-the-audit",
            TOCSIN_TOKEN_AM=TOKEN,
            PYTHONPATH=str(self.folder),
            **({"TOCSIN_DATABASE_URL": self.database} if self.database else {}),
            **socket,
            **model,
        )

    async def _declare(self) -> None:
        """AL, whose one alert fires; INC, declared for it by the on-call, who hands the lead to the commander."""
        labels = {"alertname": "ErrorsHigh", "service": SERVICE, "severity": "critical"}
        alert = {
            "status": "firing",
            "startsAt": self.began.isoformat(),
            "labels": labels,
            "annotations": {},
            "fingerprint": "f1",
        }
        async with httpx.AsyncClient(trust_env=False) as client:
            url, proof = f"{self.replicas['A'].url}/alerts/am", {"Authorization": f"Bearer {TOKEN}"}
            answer = await client.post(url, json={"version": "4", "alerts": [alert]}, headers=proof)
        if answer.status_code != 202:
            raise RuntimeError(f"the alert was not taken: {answer.status_code} {answer.text}")
        group = await self.until(lambda: self.records.rows("SELECT id, incident_id FROM groups"))
        self.group = f"AL-{group[0]['id']}"
        if not group[0]["incident_id"]:
            await self.slash("on_call", f'declare "Errors rise" sev=2 {self.group}')
        made = await self.until(lambda: self.records.rows("SELECT id, severity FROM incidents"))
        self.incident = f"INC-{made[0]['id']}"
        await self.slash("on_call", f"lead <@{self.slack.user('commander')}> {self.incident}")
        await self.until(lambda: self.records.rows("SELECT id FROM incidents WHERE lead = 'commander'"))
        await self.rest()

    async def close(self) -> None:
        await asyncio.gather(*(replica.close() for replica in self.replicas.values()))
        await self.slack.close()

    # ------------------------------------------------------------ words

    def resolved(self, value: Any, *, strict: bool = True, number: int = 0) -> Any:
        """References in texts and keys replaced. Not strict: what is no reference stays, as placeholders in a file do."""
        if isinstance(value, str):
            return _REFERENCE.sub(lambda match: self._reference(match, strict, number), value)
        if isinstance(value, dict):
            return {self.resolved(k, strict=strict): self.resolved(v, strict=strict, number=number) for k, v in value.items()}
        if isinstance(value, list):
            return [self.resolved(part, strict=strict, number=number) for part in value]
        return value

    def _reference(self, match: re.Match[str], strict: bool, number: int) -> str:
        name = match.group(1)
        known = {**_WORDS, "hook": self.hook, "i": str(number)} if number else {**_WORDS, "hook": self.hook}
        if name in known:
            return known[name]
        if name in ("INC", "AL"):
            return self.incident if name == "INC" else self.group
        if re.fullmatch(r"t[+-]\d+", name):
            return (self.began + timedelta(seconds=int(name[1:]))).strftime("%Y-%m-%dT%H:%M:%SZ")
        if name in self.proposals:
            return self.proposals[name] or "AP-0"
        if name in self.heads:
            return self.heads[name]
        if name in self.rows:
            return str(self.rows[name])
        role = name.removesuffix(".id")
        if role in self.accounts:
            user = self.accounts[role].user
            return user if name.endswith(".id") else f"<@{user}>"
        if strict:
            raise Unplayable(f"unknown reference {match.group()}")
        return match.group()

    def ref(self, label: str) -> str:
        """The reference behind a label of a proposal; "" if it was not taken. Raises Unplayable for an unknown label."""
        if label not in self.proposals:
            raise Unplayable(f"unknown label {label!r}")
        return self.proposals[label]

    def taken(self, label: str) -> str:
        """The same of one that must have been taken."""
        if not (ref := self.ref(label)):
            raise Unplayable(f"{label} was not taken as a proposal")
        return ref

    def person(self, role: str) -> str:
        """The person of a role, as tocsin.yaml tells them by user id or address; "" if nobody."""
        self.slack.user(role)
        account, people = self.accounts[role], self.config.get("people", {})
        by_id = next((key for key, person in people.items() if person.get("slack") == account.user), "")
        by_address = next((k for k, p in people.items() if account.email and p.get("email", "").lower() == account.email), "")
        key = by_id or by_address
        return str(people[key].get("same_as") or key) if key else ""

    # ------------------------------------------------------------ policy

    def write_config(self, content: Json | str) -> None:
        """tocsin.yaml becomes this."""
        text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
        (self.folder / "tocsin.yaml").write_text(text, encoding="utf-8")
        if not isinstance(content, str):
            self.config = content

    async def restart(self) -> str:
        """All processes stopped and started; "refused" if one of them ends by itself."""
        for replica in self.replicas.values():
            await replica.stop()
        results = [await replica.start() for replica in self.replicas.values()]
        return "ready" if set(results) == {"ready"} else "refused"

    def pass_in_database(self, seconds: int) -> None:
        """That so much time passes for PostgreSQL too: its clock, as whoever asks without a schema is answered."""
        self.records.change("CREATE SCHEMA IF NOT EXISTS passed")
        self.passed_s += seconds
        clock = f"SELECT pg_catalog.clock_timestamp() + interval '{self.passed_s} seconds'"
        self.records.change(
            f"CREATE OR REPLACE FUNCTION passed.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ {clock} $$"
        )

    # ------------------------------------------------------------ people

    async def slash(self, role: str, text: str, raw: Json | None = None) -> Json:
        command = {"command": COMMAND, "text": text, "channel": CHANNEL}
        return await self.slack.act(role, raw=raw, command=command)

    async def card(self, ref: str) -> Json:
        """The card of a proposal as it is shown now. Raises Unplayable if it was never posted."""
        row = self.records.message(f"proposal:{ref}")
        if row is None:
            raise Unplayable(f"{ref} has no card")
        return await self.slack.message(row["posted_channel"] or row["channel"], row["ts"])

    # ------------------------------------------------------------ rest

    async def until(self, look: Callable[[], Any], seconds: float = REST_S) -> Any:
        """The first true answer. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            answer = look()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise TimeoutError("waited in vain")
            await asyncio.sleep(0.05)

    @property
    def whole(self) -> bool:
        """Whether everything runs, so that rest can be seen."""
        return not self.away and all(replica.running for replica in self.replicas.values())

    async def rest(self) -> None:
        """Until nothing moves and nothing has changed for half a second. Raises TimeoutError with what moves.

        A process that had to end because it was replaced is started again first.
        """
        await self._start_replaced()
        if not self.whole:
            await asyncio.sleep(AWAY_S)
            return
        deadline, before, since = time.monotonic() + REST_S, None, time.monotonic()
        while True:
            try:
                moving = await self._moving()
            except Unplayable:
                if not await self._start_replaced():
                    raise
                continue
            mark = None if moving else await self._mark()
            if mark is None or mark != before:
                before, since = mark, time.monotonic()
            elif time.monotonic() - since >= QUIET_S:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"no rest: {', '.join(moving) or 'it changes and changes'}")
            await asyncio.sleep(EVERY_S)

    async def _start_replaced(self) -> bool:
        """Whether there was any such process."""
        replaced = [replica for replica in self.replicas.values() if replica.replaced]
        for replica in replaced:
            await replica.start()
        return bool(replaced)

    async def _mark(self) -> tuple[Any, ...]:
        shown = (await self.slack.get("state"))["number"]
        return (*self.records.mark(), len(self.outside.calls), shown)

    async def _moving(self) -> list[str]:
        """What is on its way: work in a bot, messages, proposals that neither wait nor are over."""
        statuses = [await replica.order("status") for replica in self.replicas.values()]
        standing = [tuple(stand) for status in statuses for stand in status["standing"]]
        inside = sum(point in WITHIN for point, _ in standing)
        busy = sum(status["busy"] for status in statuses) - inside - (self.outside.hanging if self.hangs else 0)
        return [
            *([f"{busy} at work"] if busy > 0 else []),
            *self.records.moving(),
            *(f"AP-{row['id']} is {row['state']}" for row in self.records.proposals() if self._moves(row, standing)),
        ]

    @property
    def hangs(self) -> bool:
        return self.outside.remote == "hang"

    def _moves(self, row: Row, standing: list[tuple[str, str]]) -> bool:
        if self.rewritten or row["state"] in WAITING | FINAL or any(ref == f"AP-{row['id']}" for _, ref in standing):
            return False
        return not (row["state"] == "executing" and self.hangs)

    async def idle(self) -> bool:
        """Whether no bot works on something that somebody did."""
        return not self.whole or not any("at work" in part for part in await self._moving())

    async def healthy(self) -> list[str]:
        """Which replicas should run and do not answer."""
        return [r.name for r in self.replicas.values() if r.should_run and not r.paused and not await r.answers("/healthz")]
