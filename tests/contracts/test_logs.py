"""Every implementation of the Logs port keeps the port's promises.

No Loki can be run here: its answers are built from its documentation, and the sandbox's own Loki API is tried end to end.
"""

import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bot.core.config.systems import LogsConfig
from bot.core.errors import QueryFailed
from bot.core.logs.line import LogLine
from bot.monitoring.logs.files import FileLogs
from bot.monitoring.logs.loki import LokiLogs
from bot.ports import Logs
from tests.evaluation.recorded import RecordedLogs

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
LINES = [(50, "ERROR too old"), (20, "ERROR Pool exhausted"), (10, "INFO served"), (5, "WARN pool (a.b) nearly full")]


def _at(minutes_before: float) -> datetime:
    return NOW - timedelta(minutes=minutes_before)


def _loki(request: httpx.Request) -> httpx.Response:
    """What Loki answers to the query and window that were sent; other services are refused."""
    asked = request.url.params
    if '"checkout"' not in asked["query"]:
        return httpx.Response(400, text="no such stream")
    pattern = re.search(r'\|~ "\(\?i\)(.*)"$', asked["query"])
    wanted = re.compile(pattern.group(1).replace("\\\\", "\\") if pattern else "", re.IGNORECASE)
    first, last = int(asked["start"]), int(asked["end"])
    rows = [(int(_at(minutes).timestamp()) * 10**9, text) for minutes, text in LINES]
    values = [[str(ns), text] for ns, text in rows if first <= ns <= last and wanted.search(text)]
    data = {"resultType": "streams", "result": [{"stream": {"service": "checkout"}, "values": values[: int(asked["limit"])]}]}
    return httpx.Response(200, json={"status": "success", "data": data})


def _files(folder: Path) -> FileLogs:
    path = folder / "checkout.log"
    path.write_text("".join(f"{_at(minutes):%Y-%m-%dT%H:%M:%SZ} {text}\n" for minutes, text in LINES))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    return FileLogs({"checkout": str(folder / "*.log")})


@pytest.fixture(params=["recorded", "loki", "files"])
async def logs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Logs]:
    if request.param == "recorded":
        yield RecordedLogs({"checkout": [LogLine(at=_at(minutes), text=text) for minutes, text in LINES]})
    elif request.param == "files":
        yield _files(tmp_path)
    else:
        async with httpx.AsyncClient(transport=httpx.MockTransport(_loki)) as client:
            yield LokiLogs(LogsConfig(loki="http://loki.example.com"), client)


async def _found(logs: Logs, text: str, limit: int = 100) -> list[LogLine]:
    return await logs.search("checkout", text, start=_at(30), end=NOW, limit=limit)


async def test_lines_of_the_window_come_newest_first(logs: Logs) -> None:
    lines = await _found(logs, "")

    assert [line.at for line in lines] == [_at(5), _at(10), _at(20)] and all(line.at.tzinfo for line in lines)


async def test_text_is_looked_for_as_it_stands_in_upper_and_lower_case(logs: Logs) -> None:
    assert [line.at for line in await _found(logs, "POOL")] == [_at(5), _at(20)]
    assert [line.at for line in await _found(logs, "(a.b)")] == [_at(5)]
    assert await _found(logs, "a.b.*") == []


async def test_no_more_than_the_limit_comes(logs: Logs) -> None:
    assert len(await _found(logs, "", limit=2)) == 2


async def test_an_unknown_service_could_not_be_looked_at(logs: Logs) -> None:
    with pytest.raises(QueryFailed):
        await logs.search("cart", "", start=_at(30), end=NOW, limit=10)


def test_the_query_can_be_told(logs: Logs) -> None:
    assert logs.query("checkout", "x")


@pytest.mark.parametrize(
    ("answer", "state", "found"),
    [
        ({"status": "success", "data": ["service", "level"]}, "ok", "by the label service"),
        ({"status": "success"}, "ok", "no lines yet"),
        ({"status": "success", "data": ["app", "pod"]}, "failed", "no line has the label service"),
        ({"hello": "world"}, "failed", "not the Loki API"),
        ([1], "failed", "not the Loki API"),
    ],
)
async def test_the_check_of_loki_knows_the_label_that_names_services(answer: object, state: str, found: str) -> None:
    def labels(request: httpx.Request) -> httpx.Response:
        refused = request.headers.get("Authorization") != "Bearer t0ken" or request.url.path != "/loki/api/v1/labels"
        return httpx.Response(401, text="no org id") if refused else httpx.Response(200, json=answer)

    async with httpx.AsyncClient(transport=httpx.MockTransport(labels)) as client:
        known = await LokiLogs(LogsConfig(loki="http://loki.example.com"), client, token="t0ken").check()
        stranger = await LokiLogs(LogsConfig(loki="http://loki.example.com"), client).check()

    assert (known.state, found in known.result) == (state, True), known
    assert stranger.state == "failed" and "HTTP 401: no org id" in stranger.result and "TOCSIN_LOKI_TOKEN" in stranger.advice


async def test_the_check_of_log_files_names_the_services_without_any(tmp_path: Path) -> None:
    assert (await _files(tmp_path).check()).state == "ok"
    check = await FileLogs({"checkout": str(tmp_path / "*.log"), "cart": str(tmp_path / "nowhere/*.log")}).check()

    assert check.state == "failed" and "cart" in check.result and "checkout" not in check.result
