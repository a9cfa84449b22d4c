"""`tocsin test-alert`: one alert through the real endpoint, and its end."""

from datetime import UTC, datetime
from typing import Any

import httpx

from bot.core.config import Config
from bot.core.errors import TocsinError
from bot.core.text.moments import iso_utc

NAME = "TocsinTestAlert"


def send_test_alert(
    url: str, source: str, token: str, *, severity: str, service: str, resolve: str = "", config: Config | None = None
) -> str:
    """POST one alert; returns what to expect, in words. Raises TocsinError. `config` is tocsin.yaml, if there is one.

    It fires from now on. `resolve` is the printed start of one that fires: the start identifies an alert.
    """
    if resolve and not _is_moment(resolve):
        raise TocsinError(f"--resolve takes the moment at which the alert began, such as 2026-01-05T09:00:00Z, not {resolve}")
    now = datetime.now(UTC)
    body = alert_body(now, severity=severity, service=service, resolve=resolve)
    try:
        answer = httpx.post(f"{url}/alerts/{source}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    except httpx.InvalidURL as error:
        raise TocsinError(f"{url} is no address: {error}") from None
    except httpx.HTTPError as error:
        raise TocsinError(f"{url} was not reached ({type(error).__name__}): is `tocsin serve` running there?") from None
    if answer.status_code != 202:
        raise TocsinError(f"{url}/alerts/{source} answered {answer.status_code}: {answer.text[:300]}")
    if resolve:
        return "Stored. The card says that its alerts cleared."
    return f"Stored. {expected(config, service)} End it with the same command and: --resolve {body['starts_at']}"


def expected(config: Config | None, service: str) -> str:
    """Where the card of an alert of this service should appear, as far as tocsin.yaml says."""
    entry = config.services.get(service) if config else None
    if config and not (entry and entry.channel) and not config.default_channel:
        return "No card will appear in Slack: tocsin.yaml has no default_channel."
    own = service and (config is None or (entry and entry.channel))
    return f"A card should appear in {f'the channel of {service}' if own else 'the default channel'} within a second."


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def alert_body(now: datetime, *, severity: str, service: str, resolve: str) -> dict[str, object]:
    """One alert in Alertmanager's form and in the generic one at once: `status` is the only key in both."""
    started = resolve or iso_utc(now)
    status = "resolved" if resolve else "firing"
    labels = {"alertname": NAME, "severity": severity, **({"service": service} if service else {})}
    annotations = {"summary": "Test alert sent by `tocsin test-alert`; nothing is wrong."}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": started,
        "endsAt": now.isoformat() if resolve else "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "70c5170c5170c517",
    }
    whole: dict[str, Any] = {
        "version": "4",
        "groupKey": "tocsin-test",
        "status": status,
        "receiver": "tocsin",
        "alerts": [alert],
    }
    whole |= {"groupLabels": {}, "commonLabels": labels, "commonAnnotations": {}, "externalURL": "", "truncatedAlerts": 0}
    return whole | {"name": NAME, "labels": labels, "annotations": annotations, "starts_at": started}
