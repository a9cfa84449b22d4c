"""RootCauseBench (Apache-2.0): frozen incidents with logs, metrics, spans, commits, deploys and flags; which commit did it?"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.evidence import Case, Findings, Hypothesis
from bot.core.logs.line import LogLine
from bot.core.logs.parsing import level_of
from bot.core.metrics.series import Series
from bot.core.systems import Commit, FileChange
from bot.core.traces.spans import Span
from tests.evaluation.figures import Answer, write_answers
from tests.evaluation.recorded import RecordedLogs, RecordedSpans
from tests.evaluation.recorded_code import RecordedCode
from tests.evaluation.world import Recording, World, answer_of

SEEN_AFTER = timedelta(minutes=5)
"""What may be read: all until so long after the alert."""
PUBLISHED = (
    "published pass of 22 models 0.29 to 1.00 (all 24, the model reads the files with a shell): "
    "gpt-5.6-sol, kimi-k3, grok-4.5, glm-5.2 1.00; "
    "claude-opus-4.8 0.99, gpt-5.4 0.97, gpt-5.5, gemini-3.5-flash 0.96; "
    "gpt-5.4-mini 0.82, qwen3-235b 0.75, gpt-oss-120b 0.50, claude-haiku-4.5 0.47"
)
SIMPLE = "simple baselines (all 24): always none 0.29; words of the alert in the diff 0.29; last deploy before the onset 0.04"
NO_COMMIT = "none"
UNITS = {"ratio": "ratio", "pct": "%", "seconds": "s", "ms": "ms", "mb": "MB", "bytes": "bytes", "rps": "/s", "sec": "/s"}
"""What the end of a metric's name says of its unit."""
_HEADER_OF_GIT = re.compile(
    r"diff --git |index [0-9a-f]+\.\.|(new|deleted|old) (file )?mode |(rename|copy) (from|to) |similarity index "
)
COUNTERS = re.compile(r"_(total|count)$")
REMEDIES = {"deploy": ("rollback", "roll-forward", "config-revert"), "config": ("config-revert",), "flag": ("flag-revert",)}


def evaluate(data: Path, out: Path) -> None:
    """Answer every incident under `data`; print how right that was where labels lie beside them."""
    incidents = [Incident(path.parent) for path in sorted(data.rglob("alert.json"))]
    findings = {one.id: answer_of(one.world, one.case, now=one.now) for one in incidents}
    kinds = {one.id: {change.id: change.kind for change in one.changes} for one in incidents}
    answers = {one.id: one.answer(findings[one.id]) for one in incidents}
    write_answers(answers, out)
    labels = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(data.rglob("labels.json"))]
    truth = {id: label for file in labels for id, label in file.items() if id in answers}
    if truth:
        print(figures(answers, truth, {id: remedies(one, kinds[id]) for id, one in findings.items()}))
        print(SIMPLE, PUBLISHED, sep="\n")


def figures(
    answers: Mapping[str, Answer], truth: Mapping[str, Mapping[str, Any]], remedies: Mapping[str, Sequence[str]]
) -> str:
    """One line for each incident, then how many are right, name a decoy or are likely, and the graded score."""
    judged = {id: judged_as(answers[id].change, label) for id, label in truth.items()}
    likely = [id for id in truth if answers[id].confidence == "likely"]
    right = [id for id, verdict in judged.items() if verdict == "right"]
    decoys = [id for id, verdict in judged.items() if verdict == "decoy"]
    graded = np.mean([grade(judged[id], answers[id], truth[id], remedies[id]) for id in truth])
    rows = [f"{id}: {judged[id]}, {answers[id].confidence} {answers[id].change[:9]}".rstrip() for id in sorted(truth)]
    worth = f"of those {np.mean([id in right for id in likely]):.2f} right" if likely else "none"
    surest = sum(id in likely for id in decoys)
    rows.append(
        f"rootcausebench (n {len(truth)}): right {len(right) / len(truth):.2f}, graded {graded:.2f}; "
        f"decoys named {len(decoys)}, {surest} of them likely; likely {len(likely) / len(truth):.2f}, {worth}"
    )
    return "\n".join(rows)


def judged_as(change: str, label: Mapping[str, Any]) -> str:
    """ "right", "decoy" or "wrong" for the change that the first cause names ("" for none)."""
    root = str(label["root_cause_commit"])
    if not change if root == NO_COMMIT else same_commit(change, root):
        return "right"
    return "decoy" if any(same_commit(change, decoy) for decoy in label.get("decoy_deploy_commits") or ()) else "wrong"


def same_commit(change: str, sha: str) -> bool:
    """Whether a change holds at least seven characters of the beginning of a commit's name."""
    return len(change) >= 7 and (sha.startswith(change) or sha[:7] in change)


def grade(verdict: str, answer: Answer, label: Mapping[str, Any], remedies: Sequence[str]) -> float:
    """As published: 1 if right, 0 for a decoy, else at most 0.5 for the place, the services hurt and the remediation."""
    if verdict != "wrong":
        return float(verdict == "right")
    hurt, named = set(label.get("blast_radius") or ()), set(answer.ranked[1:])
    overlap = len(hurt & named) / len(hurt | named) if hurt | named else 1.0
    first = bool(answer.ranked) and answer.ranked[0] == label.get("first_failing_service")
    return min(0.5, 0.5 * first + 0.3 * overlap + 0.2 * (label.get("remediation") in remedies))


def remedies(findings: Findings, kinds: Mapping[str, str]) -> Sequence[str]:
    """The remediations that the first cause calls for."""
    if not findings.hypotheses:
        return ()
    first = findings.hypotheses[0]
    if first.change_id:
        return REMEDIES.get(kinds.get(first.change_id, "deploy"), ())
    return ("failover",) if first.kind == "external" else ()


@dataclass(frozen=True)
class Incident:
    """One frozen incident in its folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    def _json(self, name: str) -> Any:
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    @cached_property
    def alert(self) -> dict[str, Any]:
        alert: dict[str, Any] = self._json("alert.json")
        return alert

    @property
    def started_at(self) -> datetime:
        return _moment(self.alert["fired_at"])

    @property
    def now(self) -> datetime:
        return self.started_at + SEEN_AFTER

    @property
    def case(self) -> Case:
        """The case as a source would tell it."""
        return Case(
            group=self.id,
            service=self.alert["service"],
            alert_name=self.alert["metric"],
            severity="SEV2",
            summary=self.alert.get("summary", ""),
            labels={"service": self.alert["service"], "monitor": self.alert.get("monitor", "")},
            started_at=self.started_at,
        )

    def answer(self, findings: Findings) -> Answer:
        """The services; of changes the commit that is named, else the last one of the deploy."""
        named = [self._with_commit(hypothesis) for hypothesis in findings.hypotheses]
        return Answer.of(findings.model_copy(update={"hypotheses": named}))

    def _with_commit(self, hypothesis: Hypothesis) -> Hypothesis:
        return hypothesis.model_copy(update={"commit": hypothesis.commit or self.commits_of.get(hypothesis.change_id, "")})

    @cached_property
    def world(self) -> World:
        """What could be looked at until `now`."""
        world = World.of(self._recordings(), dict.fromkeys(self.services, ()))
        return World(
            world.catalogue,
            world.metrics,
            logs=RecordedLogs({name: self.lines.get(name, []) for name in self.services}),
            traces=RecordedSpans(self.spans),
            alerts=[self._fired()],
            changes=self.changes,
            code=self.code,
        )

    @cached_property
    def services(self) -> list[str]:
        """Each name that metrics, lines, spans, deploys or flags hold."""
        rows = [*self._metric_rows(), *self._log_rows(), *self._json("traces.json"), *self._json("deploys.json")]
        names = [str(row.get("service") or "") for row in [*rows, *self._json("flags.json"), self.alert]]
        return sorted({name for name in names if name})

    def _metric_rows(self) -> Iterator[dict[str, str]]:
        with (self.folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)

    def _log_rows(self) -> Iterator[dict[str, Any]]:
        for line in (self.folder / "logs.ndjson").read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)

    def _recordings(self) -> Iterator[Recording]:
        """One signal a metric; of a counter what was added in each step."""
        columns: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for row in self._metric_rows():
            if (at := _moment(row["timestamp"])) <= self.now and row["value"]:
                columns[row["service"], row["metric"]].append((at.timestamp(), float(row["value"])))
        for (service, metric), points in columns.items():
            times, values = (np.array(column) for column in zip(*sorted(points), strict=True))
            if COUNTERS.search(metric) and len(values) > 1 and np.all(np.diff(values) >= 0):
                values = np.diff(values, prepend=values[0])
            yield Recording(service, metric, [Series({}, times, values)], UNITS.get(metric.rsplit("_", 1)[-1], ""))

    @cached_property
    def lines(self) -> dict[str, list[LogLine]]:
        """Structured lines, as a log store holds them."""
        lines: dict[str, list[LogLine]] = defaultdict(list)
        for row in self._log_rows():
            if (at := _moment(row["timestamp"])) <= self.now:
                lines[row["service"]].append(LogLine(at=at, text=json.dumps(row), level=level_of(row["severity_text"])))
        return dict(lines)

    @cached_property
    def spans(self) -> list[Span]:
        """Spans; a child that names no trace of its own ("same") belongs to its parent's, the row before."""
        found, trace = [], ""
        for row in self._json("traces.json"):
            trace = trace if row["trace_id"] == "same" else row["trace_id"]
            at = _moment(row["start"])
            if at <= self.now:
                client = bool(row.get("peer.service") or row.get("net.peer.name"))
                seconds, failed = row["duration_ms"] / 1e3, row["status"] == "ERROR"
                found.append(
                    Span(
                        trace,
                        row["span_id"],
                        row["parent_id"] or "",
                        row["service"],
                        row["name"],
                        at.timestamp(),
                        seconds,
                        failed,
                        client,
                    )
                )
        return found

    @cached_property
    def commits_of(self) -> dict[str, str]:
        """Deploy to its commit: of several rows of one version the newest."""
        at = {row["sha"]: row["timestamp"] for row in self._json("commits.json")}
        rows = sorted(self._json("deploys.json"), key=lambda row: at.get(row["commit_sha"], ""))
        return {_deploy_id(row): row["commit_sha"] for row in rows}

    @cached_property
    def changes(self) -> list[Change]:
        """Deploys and flags as they would have been reported, newest first."""
        versions: dict[str, str] = {}
        deploys: dict[str, Change] = {}
        for row in sorted(self._json("deploys.json"), key=lambda row: str(row["timestamp"])):
            service, version = row["service"], row["version"]
            if (id := _deploy_id(row)) not in deploys:
                deploys[id] = Change(
                    id=id,
                    at=_moment(row["timestamp"]),
                    service=service,
                    kind="deploy",
                    title=f"{service} {version}",
                    version=version,
                    previous_version=versions.get(service, ""),
                    source="ci",
                )
            versions[service] = version
        flags = [_flag(number, row) for number, row in enumerate(self._json("flags.json"))]
        happened = [change for change in [*deploys.values(), *flags] if change.at <= self.now]
        return sorted(happened, key=lambda change: change.at, reverse=True)

    @cached_property
    def code(self) -> RecordedCode:
        """The repository: commits with their diffs, and which version was built from which."""
        rows = self._json("commits.json")
        commits = [
            Commit(row["sha"], _moment(row["timestamp"]), row["message"].partition("\n")[0], row["author"]) for row in rows
        ]
        patches = {row["sha"]: patches_of(row.get("diff") or "", row["files_changed"]) for row in rows}
        versions = {id.rpartition(":")[2]: sha for id, sha in self.commits_of.items()}
        return RecordedCode(commits, patches, versions)

    def _fired(self) -> Alert:
        return Alert(
            source="rootcausebench",
            fingerprint=self.alert["monitor"],
            status="firing",
            name=self.alert["metric"],
            severity=self.alert.get("severity", ""),
            labels={"service": self.alert["service"]},
            annotations={key: str(self.alert[key]) for key in ("summary", "detail") if self.alert.get(key)},
            starts_at=self.started_at,
        )


def _deploy_id(row: Mapping[str, str]) -> str:
    return f"deploy:{row['service']}:{row['version']}"


def _flag(number: int, row: Mapping[str, str]) -> Change:
    title = f"{row['flag']} {row['change']}"
    at, by = _moment(row["timestamp"]), row.get("actor", "")
    return Change(id=f"flag:{row['flag']}:{number}", at=at, service=row["service"], kind="flag", title=title, author=by)


def patches_of(diff: str, paths: Sequence[str]) -> tuple[FileChange, ...]:
    """The files of a diff as a host of repositories sends them: hunks by path.

    The set writes unified diffs, or hunks under `@@ path @@`, or under the function alone where one file changed.
    """
    hunks: dict[str, list[list[str]]] = {path: [] for path in paths}
    current = paths[0] if paths else ""
    for line in diff.splitlines():
        if line.startswith("--- "):
            current = line[4:].removeprefix("a/")
        elif line.startswith("+++ "):
            # A file that was deleted goes by its name before.
            current = current if line == "+++ /dev/null" else line[4:].removeprefix("b/")
        elif _HEADER_OF_GIT.match(line):
            continue
        elif line.startswith("@@"):
            heading = re.sub(r"^@@( -\S+ \+\S+ @@)?", "", line).strip()
            current = next((path for path in paths if heading.startswith(path)), current)
            section = heading.removeprefix(current).strip(" :@") if heading.startswith(current) else heading.strip(" @")
            hunks.setdefault(current, []).append([section])
        else:
            if not hunks.setdefault(current, []):
                hunks[current].append([""])
            hunks[current][-1].append(line)
    return tuple(_file(path, rows) for path, rows in hunks.items())


def _file(path: str, hunks: Sequence[Sequence[str]]) -> FileChange:
    lines = [line for _, *body in hunks for line in body]
    added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    return FileChange(path, added, removed, "modified", "\n".join(_hunk(section, body) for section, *body in hunks))


def _hunk(section: str, body: Sequence[str]) -> str:
    old, new = (sum(not line.startswith(sign) for line in body) for sign in "+-")
    return "\n".join([f"@@ -1,{old} +1,{new} @@ {section}".rstrip(), *body])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
