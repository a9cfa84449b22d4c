"""The test alert: any source that takes alerts can read it, and read that it is over."""

import json

import pytest

from bot.console.sample_alert import alert_body, expected
from bot.core.config import Config
from bot.core.config.alerts import SourceConfig
from bot.core.config.services import ServiceConfig
from bot.plugins import Source, SourceRequest, discover
from tests.unit.builders import NOW

KINDS = sorted(name for name, source in discover(["bot.sources"], Source).items() if "alerts" in source.takes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_source_of_alerts_reads_the_test_alert_and_its_end_as_one(kind: str) -> None:
    found = discover(["bot.sources"], Source)[kind]

    def told(resolve: str) -> tuple[str, str, str, str]:
        body = alert_body(NOW, severity="warning", service="checkout", resolve=resolve)
        request = SourceRequest("shop", json.dumps(body).encode(), {}, NOW, SourceConfig(kind=kind))
        (alert,) = found.read(request).alerts
        return alert.name, alert.fingerprint, alert.starts_at.isoformat(), alert.status

    began, ended = told(""), told(NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))

    assert began[:3] == ended[:3] and (began[0], began[3], ended[3]) == ("TocsinTestAlert", "firing", "resolved")


def test_the_test_alert_says_where_its_card_appears_and_where_none_will() -> None:
    shop = Config(services={"shop": ServiceConfig(channel="C0SHOP")})
    both = shop.model_copy(update={"default_channel": "C0ALL"})

    assert "in the channel of shop within" in expected(shop, "shop") and "No card will appear" in expected(shop, "bank")
    assert "in the default channel within" in expected(both, "bank")
    assert "in the channel of bank within" in expected(None, "bank")
