"""Logs: JSON, one record a line, no secret, no control character."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from slack_sdk.errors import SlackApiError

from bot import logs
from bot.logs import configure


@pytest.fixture
def lines() -> Iterator[Any]:
    """`lines()`: what was logged so far, one parsed record each."""
    before, level = logging.root.handlers[:], logging.root.level
    configure("INFO", ["s3cret-token", "abc"])
    stream = StringIO()
    logging.root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    yield lambda: [json.loads(line) for line in stream.getvalue().split("\n") if line]
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_a_record_is_one_line_of_json_with_level_and_time(lines: Any) -> None:
    structlog.get_logger("bot.test").info("ready", services=3)

    (record,) = lines()
    assert (record["event"], record["services"], record["level"], record["logger"]) == ("ready", 3, "info", "bot.test")
    assert record["timestamp"].endswith("Z")


def test_a_warning_of_a_library_is_a_record_as_well() -> None:
    warn = "import warnings; from bot.logs import configure; configure('INFO'); warnings.warn('low limits')"

    written = subprocess.run([sys.executable, "-c", warn], capture_output=True, text=True, check=True).stderr

    (record,) = map(json.loads, written.splitlines())
    assert record["level"] == "warning" and "low limits" in record["event"]


def test_known_secrets_and_what_looks_like_one_are_masked_wherever_they_stand(lines: Any) -> None:
    structlog.get_logger("t").warning("s3cret-token", url="http://u:hunter2@x", found=[{"key": "ghp_" + "a" * 30}])

    text = json.dumps(lines())
    assert "s3cret" not in text and "hunter2" not in text and "ghp_" not in text and "[secret]" in text


def test_a_text_with_line_breaks_and_terminal_codes_cannot_forge_a_record(lines: Any) -> None:
    structlog.get_logger("t").info("user said", text='x\n{"event": "forged"}\x1b[2J\u202e')

    (record,) = lines()
    assert record["event"] == "user said" and record["text"].startswith("x\\n{")
    assert "\x1b" not in record["text"] and "\\u202e" in record["text"]


def test_an_exception_stands_in_its_record_masked(lines: Any) -> None:
    try:
        raise ValueError("bad s3cret-token")
    except ValueError:
        structlog.get_logger("t").exception("it broke")

    (record,) = lines()
    assert "ValueError: bad [secret]" in record["exception"] and record["level"] == "error"


def test_the_standard_library_s_loggers_pass_through_the_same_chain(lines: Any) -> None:
    logging.getLogger("some.library").warning("token %s", "s3cret-token")
    logging.getLogger("httpx").info("not interesting")

    assert [record["event"] for record in lines()] == ["token [secret]"]


def test_an_exception_of_a_library_is_masked_too(lines: Any) -> None:
    try:
        raise ValueError("bad s3cret-token")
    except ValueError:
        logging.getLogger("some.library").exception("broke")

    assert "s3cret" not in json.dumps(lines()) and len(lines()) == 1


def test_a_library_that_says_the_same_at_every_try_is_written_once_a_minute_and_counted() -> None:
    seconds = 0.0
    foreign, kept = logs.LibraryFilter(lambda: seconds), []
    for seconds in range(0, 125, 5):
        record = logging.LogRecord(
            "slack_bolt.AsyncApp", logging.ERROR, "client.py", 7, f"session s_{seconds} is lost", (), None
        )
        if foreign.filter(record):
            kept.append(record.getMessage())

    assert kept == [
        "session s_0 is lost",
        "session s_60 is lost (12 times since it was last written)",
        "session s_120 is lost (12 times since it was last written)",
    ]


def test_a_library_s_chatter_is_left_out_although_it_sets_its_own_level(lines: Any) -> None:
    chatty = logging.getLogger("slack_bolt.AsyncApp")
    chatty.setLevel(logging.INFO)
    chatty.info("session is stale")
    logging.getLogger("some.library").info("kept")

    assert [record["event"] for record in lines()] == ["kept"]


@pytest.mark.parametrize(
    ("error", "written"),
    [
        (ConnectionRefusedError("Cannot connect to slack.com"), "Failed to connect: Cannot connect to slack.com"),
        (TimeoutError(), "Failed to connect: TimeoutError"),
        (SlackApiError("invalid_auth", {}), "Failed to connect: invalid_auth\\nThe server responded with: {}"),
    ],
)
def test_a_server_that_a_library_cannot_reach_is_one_line_in_its_words(lines: Any, error: Exception, written: str) -> None:
    logging.getLogger("slack_bolt.AsyncApp").error("Failed to connect", exc_info=error)

    (record,) = lines()
    assert record["event"] == written and "exception" not in record


def test_an_error_of_our_own_that_a_library_caught_keeps_its_traceback(lines: Any) -> None:
    try:
        raise KeyError("user")
    except KeyError:
        logging.getLogger("slack_bolt.AsyncApp").exception("Failed to run a listener")

    (record,) = lines()
    assert "KeyError: 'user'" in record["exception"] and record["event"] == "Failed to run a listener"
