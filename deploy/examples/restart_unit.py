"""A webhook that restarts a systemd unit: the other end of a `run_webhook` action, with nothing but Python's own library.

    TOCSIN_WEBHOOK_SECRET=... python3 restart_unit.py --listen 10.0.0.5:9000 --units checkout.service,payments.service

It takes POST /restart with {"unit": "checkout.service"}, signed as Tocsin signs, restarts one of the listed units and no
other, and answers a second request with the same Idempotency-Key as the first. Run it as a user who may do that alone,
e.g. by a polkit rule, and behind TLS.
"""

import argparse
import hashlib
import hmac
import json
import os
import subprocess
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

MOST_BYTES = 4096


class Restarts(BaseHTTPRequestHandler):
    """One request: checked, then done once."""

    secret: ClassVar[bytes] = b""
    units: ClassVar[Sequence[str]] = ()
    systemctl: ClassVar[Sequence[str]] = ("systemctl", "restart")
    answers: ClassVar[dict[str, tuple[int, dict[str, str]]]] = {}
    """Key -> what was answered."""
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_POST(self) -> None:  # the name is the library's
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MOST_BYTES))
        with self.lock:
            status, answer = self._answer(body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, body: bytes) -> tuple[int, dict[str, str]]:
        signature = "sha256=" + hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, self.headers.get("X-Tocsin-Signature", "")):
            return 401, {"error": "the signature is missing or wrong"}
        key = self.headers.get("Idempotency-Key", "")
        if self.path != "/restart" or not key:
            return 404, {"error": "POST /restart with an Idempotency-Key is all that there is"}
        if key not in self.answers:
            self.answers[key] = self._restart(body, key)
        return self.answers[key]

    def _restart(self, body: bytes, key: str) -> tuple[int, dict[str, str]]:
        try:
            unit = json.loads(body)["unit"]
        except (ValueError, KeyError, TypeError):
            return 422, {"error": "the body is no JSON with a unit"}
        if unit not in self.units:
            return 422, {"error": "this unit is not among those that may be restarted"}
        try:
            done = subprocess.run([*self.systemctl, unit], capture_output=True, text=True, timeout=15, check=False)
        except subprocess.TimeoutExpired:
            return 504, {"error": "systemctl did not end within 15 s: it may restart the unit all the same"}
        except OSError as error:
            return 409, {"error": f"systemctl cannot be started: {error}"}
        return (200, {"id": key}) if done.returncode == 0 else (409, {"error": done.stderr[:200]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:9000")
    parser.add_argument("--units", required=True, help="comma-separated")
    options = parser.parse_args()
    if not (secret := os.environ.get("TOCSIN_WEBHOOK_SECRET", "")):
        parser.error("TOCSIN_WEBHOOK_SECRET is not set: nobody could be told from anybody else")
    host, _, port = options.listen.rpartition(":")
    Restarts.secret, Restarts.units = secret.encode(), options.units.split(",")
    ThreadingHTTPServer((host, int(port)), Restarts).serve_forever()


if __name__ == "__main__":
    main()
