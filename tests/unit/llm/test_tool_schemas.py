"""What a model reads of a tool's arguments."""

from typing import Annotated, Any

import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ValidationError

from bot.core.evidence import Evidence
from bot.llm.middleware.plan import PLAN, Plan
from bot.llm.middleware.reread import ReadEvidence
from bot.llm.results import READ
from bot.llm.tool_schemas import arguments_of, as_langchain_tool
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described, Names, ServiceName, SignalName
from tests.unit.tools.tool_fixture import TOOLS


@tool
async def weather(
    ctx: ToolContext, service: ServiceName, signal: SignalName = "", unit: Annotated[str, Described("C or F")] = "C"
) -> Evidence:
    """Say what the weather is."""
    raise AssertionError


def properties(**names: Any) -> dict[str, Any]:
    lists = {Names(kind): values for kind, values in names.items()}
    return dict(arguments_of(weather, lists).model_json_schema()["properties"])


def test_arguments_say_what_they_mean() -> None:
    assert {name: one["description"] for name, one in properties().items()} == {
        "service": "Catalogue service",
        "signal": "Its signal, e.g. errors, latency",
        "unit": "C or F",
    }


def test_names_are_listed_and_an_argument_that_takes_one_may_be_left_out() -> None:
    schema = arguments_of(weather, {Names.SERVICES: ["cart", "pay"]})

    assert properties(services=["cart", "pay"])["service"]["enum"] == ["cart", "pay"] and "enum" not in properties()["service"]
    assert schema.model_validate({}).model_dump() == {"service": "", "signal": "", "unit": "C"}


def test_a_name_that_is_not_listed_reaches_the_tool_and_another_argument_does_not() -> None:
    schema = arguments_of(weather, {Names.SERVICES: ["cart"]})

    assert schema.model_validate({"service": "unknown"}).model_dump()["service"] == "unknown"
    with pytest.raises(ValidationError):
        schema.model_validate({"service": "cart", "command": "rm"})


def test_every_argument_is_described() -> None:
    schemas = {**{name: arguments_of(one) for name, one in TOOLS.items()}, READ: ReadEvidence, PLAN: Plan}
    bare = {
        (name, argument)
        for name, one in schemas.items()
        for argument, schema in one.model_json_schema()["properties"].items()
        if not schema.get("description")
    }

    assert len(schemas) > 20 and bare == set()


def test_what_is_sent_holds_the_names_and_no_more_than_a_model_needs() -> None:
    sent = convert_to_openai_tool(as_langchain_tool(weather, arguments_of(weather, {Names.SERVICES: ["cart"]})))["function"]

    assert sent == {
        "name": "weather",
        "description": "Say what the weather is.",
        "parameters": {
            "type": "object",
            "properties": {
                "service": {"description": "Catalogue service", "enum": ["cart"], "type": "string"},
                "signal": {"description": "Its signal, e.g. errors, latency", "type": "string"},
                "unit": {"default": "C", "description": "C or F", "type": "string"},
            },
        },
    }
