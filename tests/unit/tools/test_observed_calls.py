"""Dependencies that nobody wrote down, read from spans and from the services that lines of trouble name."""

from datetime import timedelta

from bot.core.logs.line import LogLine
from bot.core.logs.mentions import named_services
from bot.core.service import Catalogue, Service
from bot.core.traces.spans import Span, neighbours
from tests.evaluation.recorded import RecordedLogs, RecordedSpans
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import call_tool, context

AT = (NOW - timedelta(minutes=2)).timestamp()
SPANS = [
    Span("t", "1", "", "web", "GET /", AT, 0.2),
    Span("t", "2", "1", "orders", "POST /orders", AT, 0.1),
    Span("t", "3", "2", "payments", "charge", AT, 0.05),
    Span("t", "4", "2", "orders", "validate", AT, 0.01),
]
SHOP = Catalogue([Service(name=name) for name in ("web", "orders", "payments", "stock")])


def test_a_parent_of_another_service_is_its_caller() -> None:
    assert neighbours(SPANS, "orders") == ({"payments"}, {"web"})


def test_a_service_is_named_as_a_whole_word_also_within_an_address() -> None:
    lines = ["POST http://payments.svc:8443/charge failed", "my-stock-level is low", "web2 is up"]

    assert named_services(lines, ["payments", "stock", "web"]) == {"payments"}


async def test_a_catalogue_without_calls_is_filled_from_traces_and_lines() -> None:
    trouble = LogLine(at=NOW - timedelta(minutes=1), text="reservation failed: stock answered 500", level="error")
    chatter = LogLine(at=NOW - timedelta(minutes=1), text="web asked for the list", level="info")
    logs = RecordedLogs({"orders": [trouble, chatter]})

    evidence = await call_tool(
        "dependencies", context(catalogue=SHOP, traces=RecordedSpans(SPANS), logs=logs), service="orders"
    )

    assert (evidence.facts.depends_on, evidence.facts.dependents) == (("payments", "stock"), ("web",))
    assert evidence.source == "traces and logs"


async def test_what_the_catalogue_says_stands_alone() -> None:
    written = Catalogue([Service(name="orders", depends_on=("stock",)), Service(name="stock"), Service(name="payments")])

    evidence = await call_tool("dependencies", context(catalogue=written, traces=RecordedSpans(SPANS)), service="orders")

    assert evidence.facts.depends_on == ("stock",) and evidence.source == "catalogue"
