"""A legitimate sender, as a process of its own so that an attacker's work does not count as the bot's: `URL TOKEN SERVICE`.

Posts an alert some twenty times a second, each over a connection of its own, until its standard input ends. Prints a line
once the first is answered, and at the end what it met as JSON: `seconds` until each was acknowledged, and `refused`.
"""

import json
import select
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime

EVERY_SECONDS = 0.05
PATIENCE = 10.0


def now() -> str:
    """A start that no source had before it was connected: what fires since longer is a backlog."""
    return datetime.now(UTC).isoformat()


def alert(service: str, number: int, severity: str = "warning") -> bytes:
    """One firing alert as Alertmanager sends it."""
    labels = {"alertname": "HighErrorRate", "service": service, "severity": severity, "instance": f"{service}-{number}"}
    return json.dumps({"alerts": [{"status": "firing", "labels": labels, "startsAt": now()}]}).encode()


def post(url: str, token: str, body: bytes) -> str:
    """Why it was not accepted, "" if it was."""
    request = urllib.request.Request(url, body, {"authorization": f"Bearer {token}", "content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return "" if answer.status == 202 else f"{answer.status}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(200).decode('utf-8', 'replace')}"
    except OSError as error:
        return str(error)


def main(url: str, token: str, service: str) -> None:
    seconds: list[float] = []
    refused: list[str] = []
    post(url, token, alert(service, 0))
    print("under way", flush=True)
    while not select.select([sys.stdin], [], [], EVERY_SECONDS)[0]:
        began = time.monotonic()
        if why := post(url, token, alert(service, 1 + len(seconds))):
            refused.append(why)
        seconds.append(time.monotonic() - began)
    print(json.dumps({"seconds": seconds, "refused": refused}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
