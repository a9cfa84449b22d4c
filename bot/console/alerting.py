"""`tocsin test-alert`: one alert through the real door, and back to resolved."""

from datetime import UTC, datetime

import httpx

from bot.core.errors import TocsinError


def send_test_alert(url: str, source: str, token: str, *, severity: str, service: str, resolved: bool) -> str:
    """POST one alert in Alertmanager's form; what the server answered, in words. Raises TocsinError."""
    now = datetime.now(UTC)
    labels = {"alertname": "TocsinTestAlert", "severity": severity, **({"service": service} if service else {})}
    alert = {
        "status": "resolved" if resolved else "firing",
        "labels": labels,
        "annotations": {"summary": "Test alert sent by `tocsin test-alert`; nothing is wrong."},
        "startsAt": now.replace(minute=0, second=0, microsecond=0).isoformat(),
        "endsAt": now.isoformat() if resolved else "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "70c5170c5170c517",
    }
    body: dict[str, object] = {
        "version": "4",
        "groupKey": "tocsin-test",
        "status": alert["status"],
        "receiver": "tocsin",
        "alerts": [alert],
    }
    body |= {"groupLabels": {}, "commonLabels": labels, "commonAnnotations": {}, "externalURL": "", "truncatedAlerts": 0}
    try:
        answer = httpx.post(f"{url}/alerts/{source}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    except httpx.HTTPError as error:
        raise TocsinError(f"{url} was not reached ({type(error).__name__}): is `tocsin serve` running there?") from None
    if answer.status_code != 202:
        raise TocsinError(f"{url}/alerts/{source} answered {answer.status_code}: {answer.text[:300]}")
    return f"Stored. A card should stand in the channel of {service or 'the default channel'} within a second."
