"""The web's boundary: an unexpected error becomes an id that is answered and logged, never a traceback."""

import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.core.errors import NotFound
from bot.web.metrics import ERRORS

log = structlog.get_logger(__name__)
RETRY_SECONDS = 2
_WHERE_TO_POST = (
    "nothing is taken at this address: alerts are posted to /alerts/NAME and changes to /changes/NAME, NAME being a source"
)


class Guard:
    """ASGI middleware inside each app: the server goes on and the error gets an id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            error_id = secrets.token_hex(4)
            ERRORS.inc()
            log.exception("web request failed", error_id=error_id, path=scope.get("path", "")[:200])
            if not begun:
                answer = refusal(500, f"something went wrong here; the log has it under {error_id}", error_id=error_id)
                await answer(scope, receive, send)


def refusal(status: int, error: str, **more: object) -> JSONResponse:
    """`{"error": ...}` with whatever helps the sender."""
    headers = {503: {"Retry-After": str(RETRY_SECONDS)}, 401: {"WWW-Authenticate": "Bearer"}}.get(status)
    return JSONResponse({"error": error, **more}, status_code=status, headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    """The frameworks' own refusals (404, 405, 401) in the same form; a sender with half an address gets the whole one."""
    assert isinstance(error, HTTPException)
    posted = error.status_code == 404 and request.method == "POST"
    answer = refusal(error.status_code, _WHERE_TO_POST if posted else str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _not_found(_request: Request, error: Exception) -> Response:
    return refusal(404, str(error))


HANDLERS: Mapping[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    HTTPException: _http_error,
    NotFound: _not_found,
}
"""Expected errors of both apps."""
