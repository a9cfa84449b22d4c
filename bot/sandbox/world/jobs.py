"""The shop's job runner: signed, idempotent jobs that change the world, and a record of every execution."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.sandbox.world.change import iso

SIGNATURE_HEADER = "x-tocsin-signature"
KEY_HEADER = "idempotency-key"


class JobRefused(Exception):
    """The request is answered with `status` and changes nothing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Operations(Protocol):
    """What jobs can do; each answers a sentence, and raises ValueError if it is impossible."""

    def rollback(self, service: str, body: Mapping[str, Any]) -> str: ...

    def rollforward(self, service: str, body: Mapping[str, Any]) -> str: ...

    def restart(self, service: str) -> str: ...

    def flag(self, service: str, body: Mapping[str, Any]) -> str: ...

    def now(self) -> float: ...


@dataclass(frozen=True)
class Job:
    """One execution; `headers` holds the caller's x-tocsin-* headers, without the signature."""

    id: str
    at: float
    action: str
    service: str
    key: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    status: str
    message: str

    def answer(self) -> dict[str, Any]:
        """What the caller gets."""
        return {"job": self.id, "status": self.status, "message": self.message}

    def as_json(self) -> dict[str, Any]:
        """For `GET /_world/executions`."""
        return {
            **self.answer(),
            "at": iso(self.at),
            "action": self.action,
            "service": self.service,
            "key": self.key,
            "body": dict(self.body),
            "headers": dict(self.headers),
        }


def sign(secret: str, body: bytes) -> str:
    """The signature header's value for a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass
class Jobs:
    """Runs jobs at most once a key."""

    operations: Operations
    secret: str
    executed: list[Job] = field(default_factory=list)
    _by_key: dict[str, Job] = field(default_factory=dict)

    def run(self, action: str, raw: bytes, headers: Mapping[str, str]) -> Job:
        """Check, execute and record; the same key answers the same job. Raises JobRefused."""
        if not hmac.compare_digest(headers.get(SIGNATURE_HEADER, ""), sign(self.secret, raw)):
            raise JobRefused(401, "signature missing or wrong")
        body = self._body(raw)
        key = headers.get(KEY_HEADER, "")
        if key and (earlier := self._by_key.get(key)):
            if earlier.action != action or dict(earlier.body) != body:
                raise JobRefused(422, "this Idempotency-Key was used for another request")
            return earlier
        job = self._execute(action, str(body["service"]), key, body, headers)
        self.executed.append(job)
        if key:
            self._by_key[key] = job
        return job

    def get(self, job_id: str) -> Job | None:
        """The job of this id, or of this idempotency key."""
        return next((job for job in self.executed if job_id in (job.id, job.key)), None)

    def _body(self, raw: bytes) -> dict[str, Any]:
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise JobRefused(400, f"body is not JSON: {error}") from error
        if not isinstance(body, dict) or not isinstance(body.get("service"), str):
            raise JobRefused(400, 'body must be an object with "service"')
        return body

    def _execute(self, action: str, service: str, key: str, body: dict[str, Any], headers: Mapping[str, str]) -> Job:
        about = {k: v for k, v in headers.items() if k.startswith("x-tocsin-") and k != SIGNATURE_HEADER}
        status = "succeeded"
        try:
            message = self._perform(action, service, body)
        except ValueError as error:
            status, message = "failed", str(error)
        number = len(self.executed) + 1
        return Job(f"job-{number}", self.operations.now(), action, service, key, body, about, status, message)

    def _perform(self, action: str, service: str, body: Mapping[str, Any]) -> str:
        match action:
            case "rollback":
                return self.operations.rollback(service, body)
            case "rollforward":
                return self.operations.rollforward(service, body)
            case "restart":
                return self.operations.restart(service)
            case "flag":
                return self.operations.flag(service, body)
        raise JobRefused(404, f"no such job: {action}")
