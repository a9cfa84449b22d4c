"""What counts as a name of one incident."""

from bot.core.change import Change
from bot.core.config import Config
from bot.core.evidence import FiringInterval
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BreakdownFact
from bot.core.redaction.inventory import inventory_of, names_in
from bot.core.redaction.pseudonyms import Name, Pseudonyms
from tests.unit.evidence_builders import CASE, NOW, entry, failed

CONFIG = Config.model_validate(
    {
        "prometheus": {"url": "http://prom.acme.example:9090"},
        "systems": {"web": {"status": {"url": "https://status.acme.example/api"}}},
        "logs": {"loki": "http://loki:3100"},
        "people": {"ann": {"slack": "U1", "name": "Ann Other"}},
        "services": {
            "cart": {
                "depends_on": ["bank"],
                "deployment": {"name": "cart-api", "namespace": "shop"},
                "match": {"app": "cart-web", "severity": "page"},
                "known_as": {"github": "acme/cart"},
            },
            "bank": {},
        },
    }
)


def test_the_configuration_names_services_deployments_and_people() -> None:
    found = set(inventory_of(CONFIG))

    assert {Name("service", name) for name in ("cart", "bank", "cart-web", "acme/cart")} <= found
    assert {Name("workload", "cart-api"), Name("namespace", "shop"), Name("person", "ann"), Name("person", "U1")} <= found
    assert Name("person", "Ann Other") in found and "page" not in {name.text for name in found}


def test_hosts_of_systems_are_names_since_queries_and_errors_say_where_was_asked() -> None:
    names = Pseudonyms(inventory_of(CONFIG))

    masked = names.masked("Prometheus at prom.acme.example:9090 cannot be reached; https://status.acme.example/api/notes")

    assert "acme" not in masked and names.masked("source: loki") == "source: loki"
    assert names.unmasked(masked).startswith("Prometheus at prom.acme.example:9090")


def test_labels_and_facts_name_pods_and_hosts() -> None:
    case = CASE.model_copy(update={"labels": {"namespace": "prod", "alertname": "Down"}, "expression": 'up{cluster="eu"} == 0'})
    row = BreakdownFact(labels={"pod": "cart-0", "instance": "10.0.0.7:9100"}, before=0.0, after=7.0, share=1.0)
    change = Change(id="ci:1", at=NOW, service="cart", kind="deploy", title="faster", author="bob")
    facts = EvidenceFacts(breakdown=(row,), depends_on=("bank",), changes=(change,))

    found = names_in(case, [entry(1, "look", facts, service="cart", summary="pod=cart-1 fails")], ["eve: look there: now"])

    assert found[:3] == [Name("service", "front"), Name("namespace", "prod"), Name("cluster", "eu")]
    assert {name.text for name in found[3:]} == {"cart", "cart-0", "10.0.0.7:9100", "10.0.0.7", "bank", "bob", "cart-1", "eve"}


def test_another_service_that_fired_before_is_a_name() -> None:
    fired = FiringInterval(began_at=NOW, ended_at=NOW, service="payments")

    assert Name("service", "payments") in names_in(CASE.model_copy(update={"firing_before": (fired,)}), [])


def test_lines_that_users_write_and_looks_that_failed_make_no_names() -> None:
    said = entry(1, "search_logs", EvidenceFacts(), summary="pod=errors host=rose")
    said = said.model_copy(update={"evidence": said.evidence.model_copy(update={"user_controllable": True})})

    assert names_in(CASE, [said, failed(2, "service_health", "service=the", service="of")]) == [Name("service", "front")]
