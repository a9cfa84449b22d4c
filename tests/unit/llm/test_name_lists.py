"""Which tools list the services and signals of the catalogue."""

from collections.abc import Sequence

import pytest

from bot.core.tool_calls import ToolRole
from bot.llm.name_lists import NameListing, list_names
from bot.plugins.arguments import Names
from tests.unit.tools.tool_fixture import TOOLS

FIFTY = [f"{team}-{part}" for team in ("billing", "cart", "fraud", "media", "search") for part in "abcdefghij"]
OFTEN_SET_UP = [name for name, tool in TOOLS.items() if not tool.needs]


def listing(services: Sequence[str], tools: Sequence[str] = (), **names: Sequence[str]) -> NameListing:
    chosen = {name: TOOLS[name] for name in tools or TOOLS}
    return list_names(chosen, {Names.SERVICES: services, **{Names(kind): values for kind, values in names.items()}})


@pytest.mark.parametrize("services", [["cart", "pay"], FIFTY], ids=["two", "fifty"])
def test_with_every_tool_set_up_the_one_that_is_called_first_lists_all_services(services: list[str]) -> None:
    listed = listing(services)

    first = listed.first(Names.SERVICES)
    assert TOOLS[first].info.role is ToolRole.HEALTH and listed.of(first)[Names.SERVICES] == services


def test_the_fewer_tools_there_are_the_more_of_them_list_the_services() -> None:
    few, many = (len(listing(FIFTY, tools).lists) for tools in (OFTEN_SET_UP, ()))

    assert few > many and len(listing(["cart", "pay"], OFTEN_SET_UP).lists) > few


def test_a_list_is_whole_wherever_it_stands_and_holds_each_name_once() -> None:
    lists = listing([*FIFTY, "", *FIFTY], OFTEN_SET_UP).lists.values()

    assert all(names[Names.SERVICES] == FIFTY for names in lists)


def test_signals_are_listed_by_a_tool_that_takes_one() -> None:
    listed = listing(["cart"], signals=["errors", "latency"])

    assert listed.of(listed.first(Names.SIGNALS))[Names.SIGNALS] == ["errors", "latency"]


def test_hundreds_of_services_are_listed_by_no_tool() -> None:
    assert listing([f"service-{number}" for number in range(300)]).lists == {} == listing([]).lists
