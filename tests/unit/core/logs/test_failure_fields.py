"""What a structured line says of a failure beside its message, in the forms of the usual libraries."""

import json
import time
from typing import Any

import pytest

from bot.core.logs.failure_fields import failure_of
from bot.core.logs.parsing import message_of

PYTHON = """Traceback (most recent call last):
  File "/app/.venv/lib/python3.12/site-packages/uvicorn/run.py", line 401, in run_asgi
    result = await app(scope)
  File "/app/issuer/api.py", line 23, in open_session
    cert = certificate(device)
  File "/app/issuer/certs.py", line 32, in certificate
    return now.replace(year=now.year + 1)
ValueError: day is out of range for month"""
JAVA = """java.lang.IllegalStateException: could not settle
\tat com.acme.pay.Settler.settle(Settler.java:88)
\tat org.springframework.web.Servlet.service(Servlet.java:1)
Caused by: java.lang.NullPointerException: "rate" is null
\tat com.acme.pay.Rates.of(Rates.java:41)
\t... 23 more"""
NODE = """TypeError: Cannot read properties of undefined (reading 'id')
    at mapUser (/app/src/users/map.js:14:22)
    at node:internal/process/task_queues:95:5"""
GO = """[signal SIGSEGV: segmentation violation code=0x1 addr=0x28]

goroutine 57 [running]:
acme/policy/eval.(*Evaluator).allowed(...)
\t/src/eval/retention.go:7
runtime.main()
\t/usr/local/go/src/runtime/proc.go:250 +0x1d"""


def message(**fields: Any) -> str:
    return message_of(json.dumps({"message": "request failed", **fields}))


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        ({"error": "dial tcp 10.0.0.7:5432: connection refused"}, "dial tcp 10.0.0.7:5432: connection refused"),
        ({"exception": {"type": "TimeoutError", "message": "pool is empty"}}, "TimeoutError; pool is empty"),
        ({"error.message": "quota exceeded", "hint": "ask for more"}, "ask for more; quota exceeded"),
        (
            {"exception": PYTHON},
            'ValueError: day is out of range for month (File "/app/issuer/certs.py", line 32, in certificate; '
            'File "/app/issuer/api.py", line 23, in open_session)',
        ),
        (
            {"stack_trace": JAVA},
            "java.lang.IllegalStateException: could not settle Caused by: java.lang.NullPointerException: "
            '"rate" is null (at com.acme.pay.Rates.of(Rates.java:41))',
        ),
        (
            {"err": {"stack": NODE}},
            "TypeError: Cannot read properties of undefined (reading 'id') (at mapUser (/app/src/users/map.js:14:22))",
        ),
        ({"stack": GO}, "(acme/policy/eval.(*Evaluator).allowed(...); /src/eval/retention.go:7)"),
    ],
)
def test_the_error_and_the_innermost_frames_of_own_code_stand_behind_the_message(fields: dict[str, Any], failure: str) -> None:
    assert message(**fields) == f"request failed: {failure}"


def test_what_the_message_says_already_and_fields_of_other_kinds_are_left_out() -> None:
    assert message(error="request failed", trace_id="8e70d3", status=500, err=None) == "request failed"


def test_the_host_that_was_called_is_told_where_a_field_alone_names_it() -> None:
    assert message(**{"net.peer.name": "api.rates.example"}) == "request failed: (to api.rates.example)"
    assert message(peer="ledger") == "request failed", "a service is no host"
    assert message_of('{"msg": "api.rates.example: 503", "peer": "api.rates.example"}') == "api.rates.example: 503"


def test_the_host_that_was_called_is_not_the_own_one_that_a_caller_wrote_into_its_request() -> None:
    assert message(**{"server.address": "shop.example.com", "http.route": "/pay"}) == "request failed"
    assert message(**{"server.address": "shop.example.com"}).endswith("(to shop.example.com)")


@pytest.mark.parametrize("text", ["." * 60_000, "a." * 30_000, "a.b(" * 15_000, "a.(((" * 12_000])
def test_a_stack_of_one_endless_line_is_read_in_a_time_that_grows_with_its_length(text: str) -> None:
    began = time.process_time()
    failure_of({"stack": f"boom\n{text}!"}, "")

    assert time.process_time() - began < 0.5
