"""`tocsin test-alert`: one alert through the real door, and back to resolved."""

from datetime import UTC, datetime

import httpx

from bot.core.errors import TocsinError


def send_test_alert(url: str, source: str, token: str, *, severity: str, service: str, resolve: str = "") -> str:
    """POST one alert in Alertmanager's form; what to expect, in words. Raises TocsinError.

    It fires from now on. `resolve` is the start of one that fires (as it was told then): an alert is known by its start.
    """
    now = datetime.now(UTC)
    started = resolve or now.strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {"alertname": "TocsinTestAlert", "severity": severity, **({"service": service} if service else {})}
    alert = {
        "status": "resolved" if resolve else "firing",
        "labels": labels,
        "annotations": {"summary": "Test alert sent by `tocsin test-alert`; nothing is wrong."},
        "startsAt": started,
        "endsAt": now.isoformat() if resolve else "0001-01-01T00:00:00Z",
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
    if resolve:
        return "Stored. The card says that its alerts cleared."
    place = f"the channel of {service}" if service else "the default channel"
    return f"Stored. A card should stand in {place} within a second. End it with the same command and: --resolve {started}"
