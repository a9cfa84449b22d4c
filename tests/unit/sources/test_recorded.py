"""What a real Alertmanager sent, byte by byte."""

from bot.core.config.alerts import SourceConfig
from bot.plugins import ParsedBody, SourceRequest
from bot.sources.alertmanager import alertmanager
from tests.unit.builders import NOW
from tests.unit.recorded_data import shared_data


def read(name: str) -> ParsedBody:
    body = shared_data("recorded", "alertmanager", f"webhook_{name}.json").read_bytes()
    return alertmanager.read(SourceRequest("prod", body, {}, NOW.replace(year=2030), SourceConfig(kind="alertmanager")))


def test_a_recorded_firing_and_its_resolve_are_one_episode() -> None:
    fired, cleared = read("higherrorrate_firing"), read("higherrorrate_resolved")

    assert {a.status for a in fired.alerts} == {"firing"}
    assert {a.status for a in cleared.alerts} == {"resolved"}
    assert {a.episode for a in cleared.alerts} <= {a.episode for a in fired.alerts}


def test_recorded_alerts_tell_name_severity_query_and_group() -> None:
    for name in ("higherrorrate_firing", "instancedown_firing", "podcrashlooping_firing"):
        for alert in read(name).alerts:
            assert alert.name and alert.severity and alert.group_key and alert.link
            assert alert.starts_at.tzinfo is not None and alert.ends_at is None
    assert all("http_requests_total" in alert.expression for alert in read("higherrorrate_firing").alerts)


def test_a_recorded_resolve_tells_when_it_ended() -> None:
    for alert in read("podcrashlooping_resolved").alerts:
        assert alert.ends_at is not None and alert.ends_at > alert.starts_at
