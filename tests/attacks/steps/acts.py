"""What people, Slack, attackers and the outside do: one method an act; its keyword arguments are the act's arguments.

An argument that a method does not take is a TypeError, and so an error of the item.
"""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.attacks.steps.cast import CHANNEL, ELSEWHERE, SERVICE, VERIFY, merged
from tests.attacks.steps.items import Step, Unplayable
from tests.attacks.steps.names import POINTS, button
from tests.attacks.steps.replica import Replica
from tests.attacks.steps.workspace import Delivery, Json
from tests.attacks.steps.world import World

OTHER_KEY = "a-secret-of-somebody-else"
TEAM_PLUGINS = "plugins_of_the_team"
_DIALOG_S = 15.0


class Acts:
    """The acts of one play in one world."""

    def __init__(self, world: World) -> None:
        self.world, self.slack = world, world.slack
        self.made: set[str] = set()
        """References of proposals that a step made."""
        self._keys = 0

    # ------------------------------------------------------------ proposing

    async def propose(
        self, step: Step, *, entry: str, arguments: Json | None = None, service: str = SERVICE, key: str = "", count: int = 0
    ) -> None:
        for number in range(1, count + 1) if count else (0,):
            label = f"{step.label}{number}" if count else step.label
            given = self.world.resolved(arguments or {}, number=number)
            named = self.world.resolved(service)
            self._keys += 1
            once = self.world.resolved(key, number=number) or f"step:{self._keys}"
            if step.actor == "bot":
                ref = await self._by_the_bot(step, entry, named, given, once)
            else:
                ref = await self._by_a_person(step, entry, named, given)
            self.world.proposals[label] = ref
            if ref:
                self.made.add(ref)
                await self._card_stands(ref)

    async def _by_the_bot(self, step: Step, entry: str, service: str, arguments: Json, key: str) -> str:
        replica = self._replica(step)
        answer = await replica.order(
            "propose", entry=entry, service=service, arguments=arguments, group=self.world.incident, key=key
        )
        return str(answer["ref"])

    async def _by_a_person(self, step: Step, entry: str, service: str, arguments: Json) -> str:
        before = {row["id"] for row in self.world.records.proposals()}
        options = " ".join(f"{name}={value}" for name, value in arguments.items())
        text = f"propose {entry} {service} {self.world.incident} {options}".strip()
        await self.world.slash(step.actor, text, self._way(step))
        await self.world.rest()
        new = [row for row in self.world.records.proposals() if row["id"] not in before and row["action"] == entry]
        return f"AP-{new[0]['id']}" if new else ""

    async def _card_stands(self, ref: str) -> None:
        await self.world.until(lambda: self.world.records.message(f"proposal:{ref}"))

    def _replica(self, step: Step) -> Replica:
        if step.at not in self.world.replicas:
            raise Unplayable(f"there is no replica {step.at}")
        return self.world.replicas[step.at]

    def _way(self, step: Step, *, kept: bool = False) -> Json:
        """To which replica Slack brings it."""
        return {"bot_url": self._replica(step).url, "kept": kept}

    def _slack_is_ahead(self) -> int:
        """Seconds that passed for everybody, Slack too; a jump of one host's clock is no such time."""
        return int(next(iter(self.world.replicas.values())).clock[1])

    # ------------------------------------------------------------ pressing and filling

    async def press(
        self, step: Step, *, button: str, fields: Json | None = None, value: str | None = None, place: str = "card",
        forced: bool = False, deliver: bool = True, times: int = 1, per_s: int = 0,
    ) -> None:  # fmt: skip
        wanted = await self._wanted(step, button, value, place, forced)
        delivery = self._delivery(step)
        presses = (self._one_press(step, wanted, delivery, fields, deliver, n / per_s if per_s else 0) for n in range(times))
        await asyncio.gather(*presses)

    async def _wanted(self, step: Step, name: str, value: str | None, place: str, forced: bool) -> Json:
        """The button as Slack's client presses it. Raises Unplayable if it does not stand on the card."""
        ref, action = self.world.taken(step.object), button(name)
        card = await self.world.card(ref)
        standing = next((e for e in elements(card) if e.get("action_id") == action), None)
        if standing is None and not forced:
            raise Unplayable(f"{ref}: no button {name} on its card")
        if place not in ("card", "elsewhere", "dm"):
            raise Unplayable(f"unknown place {place!r}")
        own = standing["value"] if standing else f"{ref}:{self.world.records.proposal(ref)['record']['revision']}"
        chosen = own if value is None else self.world.resolved(value)
        channel, ts = (card["channel"], card["ts"]) if place == "card" else await self._copy(step, place, action or name, own)
        return {"action_id": action or name, "channel": channel, "ts": ts, "value": chosen, "force": True}

    async def _copy(self, step: Step, place: str, action: str, value: str) -> tuple[str, str]:
        """A message of another app that carries the same button."""
        channel = ELSEWHERE if place == "elsewhere" else await self.slack.direct_channel(step.actor)
        label = {"type": "plain_text", "text": "Approve"}
        element = {"type": "button", "action_id": action, "text": label, "value": value}
        blocks = [{"type": "actions", "block_id": "copied", "elements": [element]}]
        posted = await self.slack.act("other_bot", type={"channel": channel, "text": "Approve?", "blocks": blocks})
        return channel, str(posted["ts"])

    async def _one_press(
        self, step: Step, wanted: Json, delivery: Delivery, fields: Json | None, deliver: bool, after_s: float
    ) -> None:
        await asyncio.sleep(after_s)
        ref = self.world.ref(step.object)
        # Before the press: beside a flood the first look may come after the decision.
        before = await self._signs(step.actor, ref)
        watch = asyncio.create_task(self._first_sign(step.actor, ref, before, delivery))
        try:
            outcome = await self.slack.act(step.actor, raw=self._way(step, kept=not deliver), press=wanted)
            await self.slack.delivery(outcome, delivery)
            if deliver and fields is not None and (view := await self._new_dialog(step.actor, before[2])):
                await self._fill(step, view, fields, None)
            elif deliver and delivery.first_s is None and self.world.whole:
                await self._until_shown(watch)
        finally:
            watch.cancel()

    async def _until_shown(self, watch: "asyncio.Task[None]") -> None:
        """Until the bot showed that it took the press, or has nothing left to do."""
        deadline, idle = time.monotonic() + _DIALOG_S, 0
        while not watch.done() and time.monotonic() < deadline and idle < 4:
            idle = idle + 1 if await self.world.idle() else 0
            await asyncio.sleep(0.05)

    async def _signs(self, role: str, ref: str) -> tuple[int, int, set[str]]:
        """What shows that the bot took a press: decisions, private answers, dialogs."""
        return len(self.world.records.decisions(ref)), len(await self.slack.private(role)), await self._open_dialogs(role)

    async def _first_sign(self, role: str, ref: str, before: tuple[int, int, set[str]], delivery: Delivery) -> None:
        """Note when the bot first showed that it took the press."""
        began, (decided, told, views) = time.monotonic(), before
        while delivery.first_s is None:
            decisions, answers, dialogs = await self._signs(role, ref)
            if decisions > decided or answers > told or dialogs - views:
                delivery.first_s = time.monotonic() - began
            await asyncio.sleep(0.02)

    async def _open_dialogs(self, role: str) -> set[str]:
        return {view["id"] for view in await self.slack.dialogs(role, "")}

    async def _new_dialog(self, role: str, before: set[str]) -> Json | None:
        """The dialog that was opened since; None once the bot has nothing left to do."""
        deadline, idle = time.monotonic() + _DIALOG_S, 0
        while time.monotonic() < deadline and idle < 4:
            if new := [view for view in await self.slack.dialogs(role, "") if view["id"] not in before]:
                return new[-1]
            idle = idle + 1 if await self.world.idle() else 0
            await asyncio.sleep(0.05)
        return None

    async def submit(self, step: Step, *, fields: Json, deliver: bool = True) -> None:
        views = await self.slack.dialogs(step.actor, self.world.taken(step.object))
        if not views:
            raise Unplayable(f"{step.actor} has no dialog open for {step.object}")
        await self._fill(step, views[-1], fields, self._delivery(step), deliver=deliver)

    async def _fill(self, step: Step, view: Json, fields: Json, delivery: Delivery | None, *, deliver: bool = True) -> None:
        """Send the dialog with these fields, empty ones too, which Slack's client would hold back."""
        inputs = {block["block_id"] for block in view["blocks"] if block.get("type") == "input"}
        values = self.world.resolved(fields)
        if unknown := values.keys() - inputs:
            raise Unplayable(f"the dialog has no field {', '.join(sorted(unknown))}; it has {', '.join(sorted(inputs))}")
        wanted = {"view": view["id"], "values": values, "force": not all(values.values())}
        outcome = await self.slack.act(step.actor, raw=self._way(step, kept=not deliver), submit=wanted)
        if outcome.get("error") == "refused_by_client":
            raise Unplayable(f"Slack's client refuses the dialog: {outcome['errors']}")
        if delivery is not None:
            await self.slack.delivery(outcome, delivery)

    def _delivery(self, step: Step) -> Delivery:
        delivery = Delivery()
        if step.label:
            self.world.deliveries[step.label] = delivery
        return delivery

    # ------------------------------------------------------------ words

    async def slash(
        self, step: Step, *, text: str, fields: Json | None = None, deliver: bool = True, times: int = 1, per_s: int = 0
    ) -> None:
        delivery, words = self._delivery(step), self.world.resolved(text)
        await asyncio.gather(
            *(self._one_slash(step, words, fields, deliver, delivery, n / per_s if per_s else 0) for n in range(times))
        )

    async def _one_slash(
        self, step: Step, text: str, fields: Json | None, deliver: bool, delivery: Delivery, after_s: float
    ) -> None:
        await asyncio.sleep(after_s)
        before = await self._open_dialogs(step.actor)
        outcome = await self.world.slash(step.actor, text, self._way(step, kept=not deliver))
        await self.slack.delivery(outcome, delivery)
        if deliver and fields is not None and (view := await self._new_dialog(step.actor, before)):
            await self._fill(step, view, fields, None)

    async def say(self, step: Step, *, text: str, place: str) -> None:
        words = self.world.resolved(text)
        where: Json = {"channel": CHANNEL}
        if place == "dm":
            where = {"channel": await self.slack.direct_channel(step.actor)}
        elif place == "thread":
            card = self.world.records.message(f"card:{self.world.group}")
            if card is None:
                raise Unplayable("the incident has no card")
            where = {"channel": card["posted_channel"] or card["channel"], "thread": card["ts"]}
        elif place != "channel":
            raise Unplayable(f"unknown place {place!r}")
        if words.startswith("@bot"):
            await self.slack.act(step.actor, mention={"text": words.removeprefix("@bot").strip(), **where})
        else:
            await self.slack.act(step.actor, type={"text": words, **where})

    async def react(self, step: Step, *, emoji: str) -> None:
        card = await self.world.card(self.world.taken(step.object))
        await self.slack.act(step.actor, react={"channel": card["channel"], "ts": card["ts"], "name": emoji})

    # ------------------------------------------------------------ deliveries

    async def deliver(
        self, step: Step, *, sign: str = "fresh", timestamp_s: int = 0, patch: Json | None = None, flip: bool = False,
        retry_num: int = 0, copies: int = 1, sockets: int = 1,
    ) -> None:  # fmt: skip
        if step.object not in self.world.deliveries:
            raise Unplayable(f"unknown delivery {step.object!r}")
        first, delivery = self.world.deliveries[step.object], self._delivery(step)
        if self.world.given.slack == "socket":
            await self._over_sockets(first, delivery, patch, copies, sockets)
            return
        body = _patched(first, self.world.resolved(patch)) if patch else first.body
        headers = self._signed(sign, first, body, timestamp_s)
        if retry_num:
            headers |= {"X-Slack-Retry-Num": str(retry_num), "X-Slack-Retry-Reason": "timeout"}
        if flip:
            body = _flipped(body)
        delivery.body, delivery.headers, delivery.kind, delivery.payload = body, headers, first.kind, first.payload
        delivery.ids = first.ids
        replica = self._replica(step)
        delivery.statuses += await asyncio.gather(*(replica.post(body, headers) for _ in range(copies)))

    def _signed(self, sign: str, first: Delivery, body: bytes, timestamp_s: int) -> dict[str, str]:
        if sign == "recorded":
            return dict(first.headers)
        plain = {k: v for k, v in first.headers.items() if not k.startswith("X-Slack-")}
        stamp = str(int(time.time()) + self._slack_is_ahead() + timestamp_s)
        stamped = {**plain, "X-Slack-Request-Timestamp": stamp}
        secrets = {"fresh": self.slack.addresses["signing_secret"], "other_key": OTHER_KEY}
        if sign in secrets:
            return {**stamped, "X-Slack-Signature": _signature(secrets[sign], stamp, body)}
        if sign == "wrong":
            return {**stamped, "X-Slack-Signature": "v0=" + "0" * 64}
        if sign != "none":
            raise Unplayable(f"unknown sign {sign!r}")
        return stamped

    async def _over_sockets(self, first: Delivery, delivery: Delivery, patch: Json | None, copies: int, sockets: int) -> None:
        raw: Json = {"replay": first.ids[0], "patch": self.world.resolved(patch or {})}
        acts = (self.slack.post("act", {"raw": {**raw, "socket": number % sockets}}) for number in range(copies))
        outcomes = await asyncio.gather(*acts)
        delivery.ids, delivery.payload, delivery.kind = first.ids, first.payload, first.kind
        delivery.statuses += [200 if outcome["acked"] else None for outcome in outcomes]

    async def respond(self, step: Step, *, status: int, after: str) -> None:
        if after != "stored":
            raise Unplayable(f"unknown after {after!r}")
        for replica in self.world.replicas.values():
            await replica.order("respond", status=status)

    # ------------------------------------------------------------ points, the outside, time

    async def hold(self, step: Step, *, before: str) -> None:
        for replica in self._held(step, before):
            await replica.hold(before)

    async def release(self, step: Step, *, before: str) -> None:
        for replica in self._held(step, before):
            await replica.release(before)

    def _held(self, step: Step, point: str) -> list[Replica]:
        if point not in POINTS:
            raise Unplayable(f"unknown point {point!r}")
        return list(self.world.replicas.values()) if step.everywhere else [self._replica(step)]

    async def do_world(self, step: Step, *, remote: str = "", signal: str = "", pods: int | None = None) -> None:
        outside = self.world.outside
        if remote not in ("", "ok", "refused", "lost", "hang") or signal not in ("", "good", "bad"):
            raise Unplayable(f"unknown remote {remote!r} or signal {signal!r}")
        outside.signal = signal or outside.signal
        outside.pods = outside.pods if pods is None else pods
        if remote:
            outside.set_remote(remote)

    async def clock(self, step: Step, *, wall_s: int = 0, monotonic_s: int = 0, real_s: int = 0) -> None:
        if real_s:
            await asyncio.sleep(real_s)
            return
        if monotonic_s and self.world.database:
            self.world.pass_in_database(wall_s)
        for replica in self.world.replicas.values() if step.everywhere else [self._replica(step)]:
            replica.clock = (replica.clock[0] + wall_s, replica.clock[1] + monotonic_s)
            if replica.running:
                await replica.order("clock", wall_s=replica.clock[0], monotonic_s=replica.clock[1])
        await self.slack.post("delivery", {"ahead_s": self._slack_is_ahead()})

    # ------------------------------------------------------------ operations

    async def policy(self, step: Step, *, set: Json | None = None, text: str | None = None) -> None:
        if text is not None:
            self.world.write_config(text)
        else:
            self.world.write_config(merged(self.world.own_config, self.world.resolved(set or {}, strict=False)))
        self.world.starts[step.label] = await self.world.restart()

    async def process(self, step: Step, *, do: str) -> None:
        replica = self._replica(step)
        if do == "kill":
            await replica.kill()
        elif do == "start":
            if replica.process.alive:
                raise Unplayable(f"replica {replica.name} runs already")
            result = await replica.start()
            if step.label:
                self.world.starts[step.label] = result
        elif do == "pause":
            replica.pause()
        elif do == "resume":
            replica.resume()
        else:
            raise Unplayable(f"unknown do {do!r}")

    async def directory(
        self, step: Step, *, deleted: bool | None = None, name: str | None = None, members: list[str] | None = None
    ) -> None:
        if step.object == "on_call_group":
            if members is None:
                raise Unplayable("a group has members")
            await self.slack.members(members)
            return
        changes = {key: value for key, value in (("deleted", deleted), ("name", name)) if value is not None}
        await self.slack.post("people", {"id": self.slack.user(step.object), **changes})

    async def model(self, step: Step, *, calls: list[Any], says: str) -> None:
        outside = self.world.outside
        outside.model_calls, outside.says = self.world.resolved(calls), self.world.resolved(says)
        outside.model_runs = 0

    async def plugin(self, step: Step, *, shelf: str, name: str, floor: int, entry: str) -> None:
        if shelf != "action":
            raise Unplayable(f"unknown shelf {shelf!r}")
        team = self.world.folder / TEAM_PLUGINS
        team.mkdir(exist_ok=True)
        (team / "__init__.py").touch()
        (team / f"{name}.py").write_text(_PLUGIN.format(title=_class_name(name), floor=floor))
        config = self.world.own_config
        hook = f"{self.world.hook}/run/{entry}"
        added = {"kind": name, "url": hook, "allow_private": True, "verify": VERIFY}
        self.world.own_config = {**config, "plugins": [TEAM_PLUGINS], "actions": {**config["actions"], entry: added}}
        self.world.write_config(self.world.own_config)
        self.world.starts[step.label] = await self.world.restart()

    async def run(self, step: Step, *, cli: list[str]) -> None:
        replica = next(iter(self.world.replicas.values()))
        self.world.commands[step.label] = await replica.run(self.world.resolved(cli))

    async def head(self, step: Step) -> None:
        """The audit's head lies outside of the database from now on."""
        self.world.heads[step.label] = self.world.records.head()

    async def find(self, step: Step, *, entry: str) -> None:
        new = [row for row in self.world.records.proposals() if row["action"] == entry and f"AP-{row['id']}" not in self.made]
        if not new:
            raise Unplayable(f"no proposal of {entry} that no step made")
        ref = f"AP-{new[-1]['id']}"
        self.made.add(ref)
        self.world.proposals[step.label] = ref
        await self._card_stands(ref)


def elements(message: Json) -> list[Json]:
    """The buttons of a message."""
    found = []
    for block in message.get("blocks", ()):
        found += [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())]
    return [element for element in found if isinstance(element, dict) and element.get("type") == "button"]


def _signature(secret: str, stamp: str, body: bytes) -> str:
    return "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def _patched(first: Delivery, patch: Json) -> bytes:
    """The body with this merge patch over its payload."""
    if first.kind == "slash_commands":
        fields = {key: values[0] for key, values in parse_qs(first.body.decode(), keep_blank_values=True).items()}
        return urlencode(merged(fields, patch)).encode()
    payload = merged(first.payload, patch)
    return urlencode({"payload": json.dumps(payload)}).encode() if first.kind == "interactive" else json.dumps(payload).encode()


def _flipped(body: bytes) -> bytes:
    """One byte changed, so that the body can still be read."""
    at = body.rfind(b"approve")
    at = len(body) // 2 if at < 0 else at
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


_PLUGIN = '''"""An action of the team's own."""

from typing import ClassVar

from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification
from bot.plugins import Action, ActionContext, action


@action
class {title}(Action):
    """Do what the team's own job does."""

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier({floor})
    service: str

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        return (self.service,)

    def steps(self, ctx: ActionContext) -> list[str]:
        return ["call the job"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        return DryRun(ok=True, text="call the job", targets={{self.service: ""}})

    async def run(self, ctx: ActionContext) -> Outcome:
        answer = await ctx.http.send(
            "POST", ctx.config.url, json={{"service": self.service}}, key=ctx.idempotency_key, allow_private=True
        )
        return Outcome(state=OutcomeState.DONE, text=f"answered {{answer.status}}")

    async def verify(self, ctx: ActionContext) -> Verification:
        from bot.actions.support.signal import read_signal

        return await read_signal(ctx, self.service)
'''
