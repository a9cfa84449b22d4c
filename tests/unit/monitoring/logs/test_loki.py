"""Loki's answers become log lines."""

from datetime import timedelta
from typing import Any

import pytest

from bot.core.config.systems import LogsConfig
from bot.core.errors import QueryFailed
from bot.monitoring.logs.loki import LokiLogs
from tests.unit.builders import NOW
from tests.unit.monitoring.servers import Answers, client

WINDOW = {"start": NOW - timedelta(minutes=30), "end": NOW, "limit": 100}


def logs(server: Answers, **values: Any) -> LokiLogs:
    return LokiLogs(LogsConfig(loki="http://loki.example:3100", **values), client(server))


def streams(*rows: tuple[dict[str, str], list[list[str]]]) -> Answers:
    result = [{"stream": labels, "values": values} for labels, values in rows]
    return Answers(json={"status": "success", "data": {"resultType": "streams", "result": result}})


async def test_lines_of_all_streams_come_newest_first_with_their_level() -> None:
    nanoseconds = int(NOW.timestamp()) * 10**9
    server = streams(
        ({"level": "Error"}, [[str(nanoseconds - 2 * 10**9), "older"]]), ({}, [[str(nanoseconds - 10**9), "INFO newer"]])
    )

    lines = await logs(server).search("checkout", "", **WINDOW)

    assert [(line.text, line.level) for line in lines] == [("INFO newer", "info"), ("older", "error")]
    assert lines[0].at == NOW - timedelta(seconds=1)


async def test_the_text_and_the_service_are_quoted_under_the_configured_label() -> None:
    server = streams()

    await logs(server, label="app").search('x"} or {tenant=~".+', "a.b|c", **WINDOW)

    assert server.form["query"] == r'{app="x\"} or {tenant=~\".+"} |~ "(?i)a\\.b\\|c"'


@pytest.mark.parametrize(
    "server",
    [
        Answers(400, content=b"parse error at line 1"),
        Answers(200, {"data": {"resultType": "matrix", "result": []}}),
        Answers(200, {"data": {"resultType": "streams", "result": [{"stream": {}, "values": [["x"]]}]}}),
        Answers(200, content=b"nonsense"),
    ],
)
async def test_any_other_answer_is_could_not_look(server: Answers) -> None:
    with pytest.raises(QueryFailed, match=r"Loki at loki.example:3100"):
        await logs(server).search("checkout", "", **WINDOW)


async def test_a_key_wrapped_over_two_lines_is_gone_before_anything_counts_kinds_of_lines() -> None:
    at = str(int(NOW.timestamp()) * 10**9 - 10**9)
    server = streams(({}, [[at, "invalid key AKIA" + "FAKEFAKE\nFAKE0003 in us-east-1"]]))

    (line,) = await logs(server).search("checkout", "", **WINDOW)

    assert line.text == "invalid key [aws key] in us-east-1"
