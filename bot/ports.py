"""The ports: what the bot needs from outside, as protocols."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from pydantic import JsonValue

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.evidence import Case, Findings
from bot.core.history.past_incidents import PastIncident
from bot.core.infrastructure.cluster import WorkloadState
from bot.core.infrastructure.database_health import DatabaseHealth
from bot.core.logs.line import LogLine
from bot.core.metrics.series import Series
from bot.core.questions.answering import ModelAnswer
from bot.core.systems import AlertRule, Commit, CommitFiles, Comparison, MetricDescription, ModelVersion, RunbookHit, ToolOffer
from bot.core.traces.calls import CallSummary
from bot.core.traces.spans import Sample, Span

P = ParamSpec("P")
T = TypeVar("T")


class Run(Protocol):
    """The durable port, inside a workflow: each step is recorded once, and steps are never nested."""

    @property
    def id(self) -> str:
        """The workflow id, e.g. `triage:AL-3:1`."""

    async def step(self, name: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function(*args, **kwargs)` once and record its result; on replay return the record.

        The record is plain JSON, written and read back by the function's declared return type, the first time too: live
        and replayed workflows get equal values. Arguments are not recorded; they follow from the results of earlier
        steps. Raises JournalMismatch for a record that does not fit the declared type.
        """

    async def wait_for(self, topic: str, *, until: str) -> bool:
        """Wait until woken on `topic` (True) or the ISO 8601 moment `until` has come (False). Carries no payload."""

    async def now(self) -> datetime:
        """The moment, as a recorded step: the same on replay. Aware UTC."""


Workflow = Callable[Concatenate[Run, ...], Awaitable[object]]
"""`async def workflow(run, *arguments)`: the arguments are plain JSON, the result is recorded by its declared type."""


class Engine(Protocol):
    """The durable port, outside workflows."""

    def register(self, name: str, workflow: Workflow) -> None:
        """Make a workflow known under `name`; before launch, with its collaborators closed over."""

    async def launch(self) -> None:
        """Start the machinery inside the running loop and go on with whatever was interrupted."""

    async def start(self, workflow: str, id: str, *args: JsonValue) -> None:
        """Start a workflow; a second start with the same id attaches to the first and runs nothing."""

    async def wake(self, id: str, topic: str, *, key: str) -> None:
        """Wake a waiting workflow. Harmless for a finished or unknown run; `key` makes doubled wakes one."""

    async def finished(self, id: str) -> bool:
        """Whether the run has ended, well or badly; an unknown one has not."""

    async def stop(self, *, within: float) -> None:
        """Let running steps finish for at most `within` seconds, then stop; unfinished workflows go on after a restart."""


class Metrics(Protocol):
    """Time series. Errors: `QueryFailed` with what could not be reached or read."""

    async def range(self, promql: str, *, start: datetime, end: datetime, step: float) -> list[Series]:
        """Samples of each matching series, at most 500 series; an empty list means that nothing matched."""

    async def instant(self, promql: str, *, at: datetime | None = None) -> list[Series]:
        """One sample a series."""

    async def names(self, selector: str, *, start: datetime, end: datetime) -> list[str]:
        """Names of the metrics that match a series selector ("" = all) and have samples in the window; at most 5,000."""

    async def label_sets(self, selector: str, *, start: datetime, end: datetime) -> list[Mapping[str, str]]:
        """The labels of each series that matches a selector and has samples in the window; at most 2,000."""

    async def metadata(self) -> Mapping[str, MetricDescription]:
        """What is known of each metric: its type, unit and help, as its exporter describes it."""

    async def rules(self) -> list[AlertRule]:
        """The alerting rules: name, query, labels, annotations, duration in seconds."""

    def link(self, promql: str, *, start: datetime, end: datetime) -> str:
        """An address where a person can run the query again."""


class Logs(Protocol):
    """Log lines. Errors: `QueryFailed`."""

    async def search(
        self, service: str, text: str, *, start: datetime, end: datetime, limit: int, pod: str = ""
    ) -> list[LogLine]:
        """Lines of one service (of one pod, host or file) that hold `text` (case-insensitive; empty: any), newest first."""

    def query(self, service: str, text: str, pod: str = "") -> str:
        """The query in the store's own language, as anyone can run it again."""


class Traces(Protocol):
    """Traces. Errors: `QueryFailed`."""

    async def spans(self, service: str, *, start: datetime, end: datetime, traces: int) -> Sample[Span]:
        """All spans of at most so many traces of the window that pass through one service."""

    async def calls(self, services: Sequence[str], *, start: datetime, end: datetime) -> Sample[CallSummary]:
        """The spans of the window of these services, summed up by minute, caller, service and operation."""

    def query(self, service: str) -> str:
        """The search in the store's own language, as anyone can make it again."""


class History(Protocol):
    """The changes that another system of record holds. Errors: `QueryFailed`, `PartialResult` with the others' changes."""

    @property
    def name(self) -> str:
        """Its name for people: "Argo CD"."""

    async def changes(self, service: str, since: datetime) -> list[Change]:
        """Changes of one service ("" = of every service it knows), newest first."""


class ClusterReader(Protocol):
    """Workloads of a cluster. Errors: `QueryFailed`."""

    async def workload(self, service: str) -> WorkloadState:
        """The workload of a service with its pods, revisions and events; what of these could not be read is in `unread`."""

    async def logs(self, service: str, *, pod: str, container: str, previous: bool, lines: int) -> list[str]:
        """The last lines of a container of one of the service's own pods, oldest first; `previous`: before its restart."""

    def place(self, service: str) -> str:
        """`namespace/name`, as anyone can ask for it again."""


class Databases(Protocol):
    """Database servers, read by fixed queries. Errors: `QueryFailed`."""

    def inventory(self) -> Mapping[str, Sequence[str]]:
        """What may be queried: database -> the services that use it."""

    async def health(self, database: str) -> DatabaseHealth:
        """What the server says of itself now."""


class CodeHost(Protocol):
    """Repositories. Errors: `QueryFailed`."""

    async def compare(self, service: str, base: str, head: str) -> Comparison:
        """What lies between two versions (tags or commits) of a service's repository."""

    async def commits(self, service: str, since: datetime, *, head: str = "") -> list[Commit]:
        """Commits that a version (tag or commit; "" = the default branch) holds, newest first; at most 100."""

    async def diff(self, service: str, sha: str) -> CommitFiles:
        """The files of one commit, with their patches."""


class ModelRegistry(Protocol):
    """Registered models. Errors: `QueryFailed`."""

    async def versions(self, service: str) -> list[ModelVersion]:
        """The newest versions of the model that a service serves, newest first."""


class Web(Protocol):
    """Servers of the team's own. Errors: `QueryFailed`, also for a path that is not allowed."""

    async def read(self, system: str, path: str, query: Mapping[str, str]) -> object:
        """The JSON that an allowed path answers to GET."""

    def inventory(self) -> Mapping[str, str]:
        """What may be queried: system -> its paths and what they hold."""

    def address(self, system: str, path: str, query: Mapping[str, str]) -> str:
        """The address at which a person sees the same answer."""


class Remote(Protocol):
    """Read-only tools that other servers offer. Errors: `QueryFailed`."""

    def inventory(self) -> Mapping[str, str]:
        """What may be queried: server -> what it holds."""

    async def offer(self, server: str) -> ToolOffer:
        """What one server offers now."""

    async def call(self, server: str, tool: str, arguments: Mapping[str, object]) -> str:
        """The text with which one of them answers."""


class ChangeReader(Protocol):
    async def since(self, service: str, since: datetime) -> list[Change]:
        """Changes on one service ("" = all) from `since` on, newest first, at most `bot.core.change.MAX_LISTED`."""


class AlertReader(Protocol):
    async def active(self, service: str = "") -> list[Alert]:
        """Firing alerts of one service ("" = all), newest first."""

    async def earlier(self, before: datetime) -> list[list[Alert]]:
        """Alerts that began before, one list for each group they were in: what used to fire together."""


class RunbookReader(Protocol):
    async def search(self, text: str, limit: int = 3) -> list[RunbookHit]: ...

    async def read(self, id: str) -> str | None:
        """The whole Markdown of one runbook; None if there is none of this id."""


class PastReader(Protocol):
    async def confirmed(self, since: datetime) -> list[PastIncident]:
        """Incidents resolved from `since` on whose cause a person confirmed, newest first."""


class Investigator(Protocol):
    """Ranks causes; the agent and the analyst are the two."""

    async def investigate(self, run: Run, case: Case) -> Findings:
        """Called from the workflow's body; each model call and each tool call is a step of its own."""


class Reader(Protocol):
    """Reads what was recorded and answers a question from it; runs no queries. Never raises for a failing model."""

    async def read(self, run: Run, question: int) -> ModelAnswer:
        """What it answers, not judged yet. Called from the workflow's body; each model call is a step of its own."""


class Model(Investigator, Reader, Protocol):
    """What a language model does here."""


class Pager(Protocol):
    """Wakes a person outside Slack. Errors: `PagerFailed`, after which the page stays to be sent again."""

    async def page(self, *, key: str, summary: str, severity: str, details: Mapping[str, str]) -> None:
        """Open (or update) the page with this deduplication key."""

    async def clear(self, *, key: str) -> None:
        """Close the page with this key."""
