"""The tool `read_logs`: the lines themselves, as they were written, by time, pod and text."""

from datetime import timedelta
from typing import Annotated

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import PodFact
from bot.core.logs.line import LogLine
from bot.core.text.moments import clock, date_to_the_minute
from bot.core.text.untrusted import cut, one_line
from bot.core.tool_calls import LOGS
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described, Minutes, ServiceName
from tools._arguments import alert_moment, limited_minutes, moment_of, service_of

LEAD = timedelta(minutes=2)
READ_LINES, MAX_LINES = 2_000, 200
MAX_LINE, MAX_CHARACTERS = 600, 40_000
MAX_TEXT, MAX_POD = 200, 200


@tool(label="log lines of {service}", topic=LOGS)
async def read_logs(
    ctx: ToolContext,
    service: ServiceName,
    text: Annotated[str, Described("Text in the lines (any case); empty: all")] = "",
    pod: Annotated[str, Described("Empty: all")] = "",
    start: Annotated[str, Described("2026-03-01T02:50:00Z, or 02:50 (UTC); empty: 2 minutes before the alert")] = "",
    minutes: Minutes = 10,
    newest: Annotated[bool, Described("The last lines, not the first")] = False,
) -> Evidence:
    """Read a service's log lines as they were written, oldest first.

    Call it for stack traces, error texts and the order of events around a kind of line that search_logs
    shows.
    """
    name = service_of(ctx, service)
    if ctx.logs is None:
        raise QueryFailed("no log store is configured (logs.loki or logs.files)")
    needle, of_pod = text.strip()[:MAX_TEXT], pod.strip()[:MAX_POD]
    began = moment_of(ctx, start, alert_moment(ctx) - LEAD)
    end = min(ctx.now, began + timedelta(minutes=limited_minutes(minutes)))
    lines = await ctx.logs.search(name, needle, start=began, end=end, limit=READ_LINES, pod=of_pod)
    lines = sorted(lines, key=lambda line: line.at)
    shown = lines[-MAX_LINES:] if newest else lines[:MAX_LINES]
    query = ctx.logs.query(name, needle, of_pod)
    return Evidence(
        summary=_summary(of_pod or name, needle, lines, shown, f"from {date_to_the_minute(began)} to {clock(end)}"),
        query=query,
        window=TimeWindow(start=began, end=end),
        details=_within([_line(line) for line in shown]),
        source="loki" if query.startswith("{") else "files",
        user_controllable=True,
        facts=EvidenceFacts(pods=tuple(PodFact(pod=pod) for pod in sorted({line.pod for line in shown if line.pod}))),
    )


def _summary(place: str, text: str, lines: list[LogLine], shown: list[LogLine], window: str) -> str:
    holding = f" that hold {one_line(text, 60)!r}" if text else ""
    if not lines:
        return f"{one_line(place, 80)}: no log line{holding} {window}"
    # The store answers the newest of a flood: its beginning was not read then.
    more = f"{READ_LINES} or more" if len(lines) >= READ_LINES else str(len(lines))
    cut_off = f", {len(shown)} of them shown" if len(shown) < len(lines) else ""
    flood = "; the beginning of the window was not read: ask for a shorter one" if len(lines) >= READ_LINES else ""
    pods = len({line.pod for line in lines if line.pod})
    of_pods = f" of {pods} pods" if pods > 1 else ""
    return f"{one_line(place, 80)}: {more} log lines{holding}{of_pods} {window}{cut_off}{flood}"


def _line(line: LogLine) -> str:
    pod = f" {one_line(line.pod, 80)}" if line.pod else ""
    return f"{line.at:%H:%M:%S.%f}"[:12] + f"Z{pod} {one_line(line.text, MAX_LINE)}"


def _within(lines: list[str]) -> tuple[str, ...]:
    shown: list[str] = []
    left = MAX_CHARACTERS
    for line in lines:
        if left <= 0:
            return (*shown, f"and {len(lines) - len(shown)} more lines that there was no room for")
        shown.append(cut(line, left))
        left -= len(line) + 1
    return tuple(shown)
