"""What must hold: one method a check; an unknown one, or an unknown word in one, is an error."""

from collections.abc import Iterable, Sequence
from typing import Any

from bot.core.approvals.policy import policy_version
from bot.settings import load_config
from tests.attacks.steps.acts import elements
from tests.attacks.steps.items import Unplayable
from tests.attacks.steps.names import FINAL, REFUSED, button, of_kind, states
from tests.attacks.steps.records import Row
from tests.attacks.steps.world import World

Json = dict[str, Any]


class Checks:
    """The checks of one play. Each answers with the reasons why it does not hold."""

    def __init__(self, world: World) -> None:
        self.world, self.records = world, world.records

    async def failures(self, checks: Sequence[Json]) -> list[str]:
        """Why these do not hold, and the remote calls that none of them accounts for."""
        why = [reason for check in checks for reason in await self.check(check)]
        return why + self._unnamed_calls(checks)

    async def check(self, check: Json) -> list[str]:
        """Why one check does not hold. Raises Unplayable for one that nobody knows."""
        ((name, wanted),) = check.items()
        method = getattr(self, f"_check_{name}", None)
        if method is None:
            raise Unplayable(f"unknown check {name!r}")
        return [f"{name}: {reason}" for reason in await method(wanted)]

    def _unnamed_calls(self, checks: Sequence[Json]) -> list[str]:
        names = set(_named(checks))
        allowed = None if "*" in names else {self.world.ref(name) for name in names}
        why = [f"a remote call without an idempotency key: {call.body}" for call in self.world.outside.calls if not call.ref]
        if allowed is not None:
            refs = {call.ref for call in self.world.outside.calls if call.ref} - allowed
            why += [f"a remote call of {ref}, which no check names" for ref in sorted(refs)]
        return why

    # ------------------------------------------------------------ remote calls

    async def _check_calls(self, wanted: Json) -> Iterable[str]:
        calls = [call.ref for call in self.world.outside.calls]
        numbers = {label: len(calls) if label == "*" else self._of(label, calls) for label in wanted}
        return [f"{label} {numbers[label]}, not {count}" for label, count in wanted.items() if not fits(numbers[label], count)]

    def _of(self, label: str, calls: Sequence[str]) -> int:
        ref = self.world.ref(label)
        return calls.count(ref) if ref else 0

    async def _check_sent(self, wanted: Json) -> Iterable[str]:
        why = []
        for label, values in wanted.items():
            ref = self.world.taken(label)
            bodies = [call.body for call in self.world.outside.calls if call.ref == ref]
            values = self.world.resolved(values)
            why += [] if bodies else [f"{label} was not called"]
            why += [f"{label} {body}" for body in bodies if any(str(body.get(k)) != v for k, v in values.items())]
        return why

    # ------------------------------------------------------------ rows

    async def _check_state(self, wanted: Json) -> Iterable[str]:
        current = {label: self._state(label) for label in wanted}
        wrong = [label for label, names in wanted.items() if current[label] not in states(names)]
        return [f"{label} {current[label]}, not {wanted[label]}" for label in wrong]

    def _state(self, label: str) -> str:
        ref = self.world.ref(label)
        return str(self.records.proposal(ref)["state"]) if ref else REFUSED

    async def _check_decisions(self, wanted: Json) -> Iterable[str]:
        why = []
        for label, rows in wanted.items():
            ref = self.world.ref(label)
            stored = sorted(self.records.decisions(ref)) if ref else []
            expected = sorted((self.world.person(role), verdict) for role, verdict in rows)
            why += [f"{label} {stored}, not {expected}"] if stored != expected else []
        return why

    async def _check_audit(self, wanted: Json) -> Iterable[str]:
        about = {key: value for key, value in wanted.items() if key != "count"}
        number = sum(self._is_row(row, **about) for row in self.records.audit())
        return [] if fits(number, wanted["count"]) else [f"{wanted} {number} rows"]

    def _is_row(self, row: Row, *, kind: str, of: str = "", who: str = "", to: str = "", policy: str = "") -> bool:
        subject = (self.world.incident if of == "INC" else self.world.ref(of)) if of else ""
        people = (self.world.person(who), self.world.slack.user(who)) if who else ()
        return (
            of_kind(kind, row["what"])
            and (not of or row["subject"] == subject)
            and (not who or (bool(row["who"]) and row["who"] in people))
            and (not to or row["after"] in states(to))
            and (not policy or self._is_policy(row["policy"], policy))
        )

    def _is_policy(self, version: str, wanted: str) -> bool:
        if wanted not in ("old", "new"):
            raise Unplayable(f"unknown policy {wanted!r}")
        now = policy_version(load_config(self.world.folder / "tocsin.yaml"))
        return version == now if wanted == "new" else version not in ("", now)

    async def _check_page(self, wanted: Json) -> Iterable[str]:
        pages = self.records.rows("SELECT key, details FROM pages")
        why = []
        for label, count in wanted.items():
            ref = self.world.taken(label)
            number = sum(1 for page in pages if str(page["key"]).endswith(f":{ref}"))
            why += [] if fits(number, count) else [f"{label} {number}, not {count}"]
        return why

    async def _check_open_proposals(self, wanted: Json) -> Iterable[str]:
        (count,) = wanted.values()
        number = int(self.world.incident.rpartition("-")[2])
        open_ones = [r for r in self.records.proposals() if r["incident_id"] == number and r["state"] not in FINAL]
        return [] if fits(len(open_ones), count) else [f"{len(open_ones)}, not {count}"]

    # ------------------------------------------------------------ what people see

    async def _check_buttons(self, wanted: Json) -> Iterable[str]:
        why = []
        for label, buttons in wanted.items():
            card = await self.world.card(self.world.taken(label))
            standing = {element.get("action_id") for element in elements(card)}
            for name, stands in buttons.items():
                action = button(name)
                why += [f"{label} {name} {not stands}"] if (bool(action) and action in standing) is not stands else []
        return why

    async def _check_card(self, wanted: Json) -> Iterable[str]:
        why = []
        for label, texts in wanted.items():
            if unknown := texts.keys() - {"has", "lacks"}:
                raise Unplayable(f"unknown {unknown} of a card")
            words = (await self.world.card(self.world.taken(label)))["words"]
            why += [f"{label} lacks {text!r}" for text in self.world.resolved(texts.get("has", [])) if text not in words]
            why += [f"{label} has {text!r}" for text in self.world.resolved(texts.get("lacks", [])) if text in words]
        return why

    async def _check_private(self, wanted: Json) -> Iterable[str]:
        why = []
        for role, about in wanted.items():
            if unknown := about.keys() - {"count", "contains"}:
                raise Unplayable(f"unknown {unknown} of private")
            told = (await self.world.slack.private(role))[self.world.private_before.get(role, 0) :]
            part = str(self.world.resolved(about.get("contains", ""))).lower()
            number = sum(part in words.lower() for words in told)
            why += [] if fits(number, about["count"]) else [f"{role} {number} of {told}, not {about}"]
        return why

    async def _check_http(self, wanted: Json) -> Iterable[str]:
        why = []
        for label, allowed in wanted.items():
            statuses = self._delivery(label).statuses
            good = allowed if isinstance(allowed, list) else [allowed]
            why += [f"{label} {statuses}, not {allowed}"] if not statuses or any(s not in good for s in statuses) else []
        return why

    async def _check_within_s(self, wanted: Json) -> Iterable[str]:
        firsts = {label: self._delivery(label).first_s for label in wanted}
        return [f"{label} {first}" for label, first in firsts.items() if first is None or first > wanted[label]]

    def _delivery(self, label: str) -> Any:
        if label not in self.world.deliveries:
            raise Unplayable(f"unknown delivery {label!r}")
        return self.world.deliveries[label]

    # ------------------------------------------------------------ processes

    async def _check_cli(self, wanted: Json) -> Iterable[str]:
        why = []
        for label, about in wanted.items():
            if label not in self.world.commands:
                raise Unplayable(f"unknown command {label!r}")
            code, words = self.world.commands[label]
            right = code != 0 if about["rc"] == "nonzero" else code == about["rc"]
            part = self.world.resolved(about.get("contains", ""))
            why += [] if right and part in words else [f"{label} {code} {words[-300:]!r}"]
        return why

    async def _check_start(self, wanted: Json) -> Iterable[str]:
        if unknown := wanted.keys() - self.world.starts.keys():
            raise Unplayable(f"unknown start {unknown}")
        return [f"{label} {self.world.starts[label]}" for label, result in wanted.items() if self.world.starts[label] != result]

    async def _check_any_of(self, wanted: Sequence[Sequence[Json]]) -> Iterable[str]:
        """Whether the checks of one list hold; what comes after that may ask for what does not stand there then."""
        lists = []
        for checks in wanted:
            lists.append([reason for check in checks for reason in await self.check(check)])
            if not lists[-1]:
                return []
        return [" / ".join("; ".join(reasons) for reasons in lists)]


def _named(checks: Sequence[Json]) -> Iterable[str]:
    """The labels that any `calls` check of a list names."""
    for check in checks:
        yield from check.get("calls", ())
        for inner in check.get("any_of", ()):
            yield from _named(inner)


def fits(number: int, count: Any) -> bool:
    """Whether a number is a COUNT. Raises Unplayable for one that is none."""
    if isinstance(count, int):
        return number == count
    if not isinstance(count, dict) or not count or count.keys() - {"min", "max"}:
        raise Unplayable(f"{count!r} is no count")
    return bool(count.get("min", 0) <= number <= count.get("max", number))
