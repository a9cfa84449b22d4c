"""A source speaks of the services of its configuration and of nothing else."""

from datetime import UTC, datetime

import pytest

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config.alerts import SourceConfig
from bot.core.service import Catalogue, Service
from bot.plugins import ParsedBody, Source, discover
from bot.plugins.scopes import Scopes, scope_notices, takes, undeclared

NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)
SCOPES = Scopes(Catalogue([Service(name="checkout", match={"app": "co"})]).of_labels, lambda name: name == "Watchdog")
OF_CHECKOUT = SourceConfig(kind="generic", services=("checkout",))


def alert(name: str = "Errors", **labels: str) -> Alert:
    return Alert(source="ci", fingerprint=f"{name}{labels}", status="firing", name=name, labels=labels, starts_at=NOW)


def change(service: str) -> Change:
    return Change(id=f"ci:{service}", at=NOW, service=service, kind="deploy", title="deploy", version="6.6.6")


def test_without_services_everything_passes() -> None:
    parsed = ParsedBody(alerts=(alert(service="cart"),), changes=(change("cart"),))

    assert SCOPES.within(parsed, SourceConfig(kind="generic")) is parsed


def test_alerts_of_other_services_are_set_aside_with_their_digests_and_the_reason() -> None:
    alerts = (alert(service="cart"), alert(app="co"), alert(pod="x"))
    within = SCOPES.within(ParsedBody(alerts=alerts, digests=(b"1", b"2", b"3")), OF_CHECKOUT)

    assert (within.alerts, within.digests) == ((alerts[1],), (b"2",))
    assert ["'cart'" in within.rejected[0].problem, "has to name" in within.rejected[1].problem] == [True, True]
    assert b'"service":"cart"' in within.rejected[0].body


def test_changes_of_other_services_are_set_aside() -> None:
    within = SCOPES.within(ParsedBody(changes=(change("cart"), change("checkout"), change("Checkout"))), OF_CHECKOUT)

    assert [one.service for one in within.changes] == ["checkout"] and len(within.rejected) == 2


def test_a_heartbeat_passes_for_it_speaks_of_the_sender() -> None:
    assert SCOPES.within(ParsedBody(alerts=(alert("Watchdog"),)), OF_CHECKOUT).rejected == ()


@pytest.mark.parametrize(
    ("named", "endpoints"), [((), {"alerts", "changes"}), (("changes",), {"changes"}), (("alerts",), {"alerts"})]
)
def test_a_source_takes_what_its_kind_does_unless_it_says_less(named: tuple[str, ...], endpoints: set[str]) -> None:
    kind = discover(["bot.sources"], Source)["generic"]

    assert takes(SourceConfig.model_validate({"kind": "generic", "takes": named}), kind) == endpoints


def test_who_may_send_both_because_nobody_said_less_is_named_until_somebody_does() -> None:
    kinds = discover(["bot.sources", "bot.sources.changes"], Source)
    sources = {
        "am": SourceConfig(kind="alertmanager"),
        "hub": SourceConfig(kind="github"),
        "ci": SourceConfig(kind="generic"),
        "probes": SourceConfig(kind="generic", takes=("alerts",)),
        "both": SourceConfig(kind="generic", takes=("alerts", "changes")),
    }

    assert undeclared(sources, kinds) == ["ci"]
    assert scope_notices(sources, kinds)[0].startswith("sources.ci: whoever holds its token can open an incident")


def test_the_kind_of_a_vendor_takes_alerts_or_changes_and_never_both() -> None:
    kinds = discover(["bot.sources", "bot.sources.changes"], Source)

    assert [name for name, kind in kinds.items() if {"alerts", "changes"} <= kind.takes] == ["generic"]
