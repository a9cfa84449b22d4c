"""Vendors' payloads, posted to the endpoint of the running server: what title, severity, status and entity it stored.

Twice: to a source of the vendor's own kind where there is one (else `generic`), and to `generic` alone. What is stored is read
from the API: the alert's name, the sender's word for its severity, its state, and its service, else the host, instance or
other entity that its labels name.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bot.plugins import Source, discover
from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.processes import until
from tests.real.slack import Slack

TOKEN = "token-of-the-evaluation"
FIELDS = ("title", "severity", "status", "entity")
ENTITIES = ("host", "pod", "instance", "entity")
SIMPLE = "simple baseline, naive key picking: title 14/19, severity 16/18, status 19/19, entity 4/18, all 5/19"
Json = dict[str, Any]
Answers = dict[str, dict[str, str]]


def evaluate(data: Path, out: Path) -> None:
    """Post every payload of the folder, write what was stored, print how right it is where labels lie beside."""
    payloads: dict[str, Json] = json.loads((data / "payloads.json").read_text(encoding="utf-8"))
    labels = data / "labels.json"
    truth = json.loads(labels.read_text(encoding="utf-8")) if labels.exists() else {}
    for name, kinds in (("own sources", own_kinds(payloads)), ("generic alone", dict.fromkeys(payloads, "generic"))):
        answers = stored(payloads, kinds)
        target = out if name == "own sources" else out.with_suffix(".generic.json")
        target.write_text(json.dumps(answers, indent=1, ensure_ascii=False), encoding="utf-8")
        if truth:
            print(f"webhooks, {name} (n {len(truth)}): {', '.join(f'{k} {v}' for k, v in score(truth, answers).items())}")
            print(*missed(truth, answers), sep="\n", end="")
    if truth:
        print(SIMPLE)


def own_kinds(payloads: Mapping[str, Json]) -> dict[str, str]:
    """The kind of source that is named like the payload's vendor; generic for the others."""
    kinds = {name for name, source in discover(["bot.sources"], Source).items() if "alerts" in source.takes}
    vendors = {id: id.partition("/")[0].lower() for id in payloads}
    return {id: vendor if vendor in kinds else "generic" for id, vendor in vendors.items()}


def stored(payloads: Mapping[str, Json], kinds: Mapping[str, str]) -> Answers:
    """What the running server makes of each payload, posted to a source of its own."""
    names = {id: f"s{number}" for number, id in enumerate(payloads)}
    with running({names[id]: kinds[id] for id in payloads}) as bot:
        accepted = {id for id, body in payloads.items() if bot.post(f"/alerts/{names[id]}", body, TOKEN).status_code == 202}
        until(lambda: len({row["source"] for row in bot.get("alerts")}) == len(accepted), PATIENCE, "all alerts sorted")
        rows = {row["source"]: row for row in bot.get("alerts")}
    return {id: answer_of(rows[names[id]]) for id in payloads if names[id] in rows}


def answer_of(row: Json) -> dict[str, str]:
    """The stored alert in the form of the set."""
    labels = row["labels"]
    entity = row["service"] or next((labels[name] for name in ENTITIES if labels.get(name)), "")
    return {"title": row["name"], "severity": labels.get("severity", ""), "status": row["status"], "entity": entity}


def right(label: Json, answer: Mapping[str, str], field: str) -> bool | None:
    """Whether one field is right; None if it is not scored."""
    accepted = label[f"{field}_any"]
    if accepted is None:
        return None
    value = answer.get(field, "").lower()
    words = [word.lower() for word in accepted]
    return value in words if field in ("severity", "status") else any(word in value for word in words)


def score(truth: Mapping[str, Json], answers: Answers) -> dict[str, str]:
    """Right and scored payloads by field, and over all of them."""
    verdicts = {id: [right(label, answers.get(id, {}), field) for field in FIELDS] for id, label in truth.items()}
    columns = {field: [row[place] for row in verdicts.values()] for place, field in enumerate(FIELDS)}
    counts = {field: f"{column.count(True)}/{len(column) - column.count(None)}" for field, column in columns.items()}
    return {**counts, "all": f"{sum(False not in row for row in verdicts.values())}/{len(verdicts)}"}


def missed(truth: Mapping[str, Json], answers: Answers) -> Iterator[str]:
    """A line for each wrong field."""
    for id, label in truth.items():
        for field in FIELDS:
            if right(label, answers.get(id, {}), field) is False:
                yield f"  {id}: {field} is {answers.get(id, {}).get(field, 'nothing')!r}\n"


@contextmanager
def running(kinds: Mapping[str, str]) -> Iterator[Bot]:
    """The bot as a process beside Slack's stand-in, with these sources."""
    with tempfile.TemporaryDirectory(prefix="tocsin-webhooks-") as name:
        folder = Path(name)
        config = folder / "tocsin.yaml"
        config.write_text(yaml.safe_dump({"sources": {source: {"kind": kind} for source, kind in kinds.items()}}))
        slack = Slack(folder, "--no-world").start()
        try:
            bot = Bot(folder, slack, config, environment={f"TOCSIN_TOKEN_{source.upper()}": TOKEN for source in kinds})
            try:
                bot.start()
                yield bot
            finally:
                bot.stop()
        finally:
            slack.stop()
