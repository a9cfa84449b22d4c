"""Links of alerts to their expression, on the page of the Prometheus that is configured."""

import pytest

from bot.core.metrics.graph_links import on_own_page

OWN = "http://prom.example:9090"


def test_an_expression_under_the_name_of_a_container_is_shown_on_the_configured_page() -> None:
    link = "http://0bf3e1c2:9090/graph?g0.expr=sum%28up%29+%3E+1&g0.tab=1&g0.step=//attacker.example"

    assert on_own_page(link, OWN) == f"{OWN}/graph?g0.expr=sum%28up%29+%3E+1&g0.tab=1"


@pytest.mark.parametrize(
    "link", ["http://x/alert?group_id=1", "http://x/graph", "http://x/graph?g0.expr=", "http://[x/graph?g0.expr=up", ""]
)
def test_what_is_no_expression_leads_nowhere(link: str) -> None:
    assert on_own_page(link, OWN) == ""


def test_without_a_prometheus_there_is_no_page() -> None:
    assert on_own_page("http://x/graph?g0.expr=up", "") == ""
