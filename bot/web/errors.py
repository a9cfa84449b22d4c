"""The web's boundary: an unexpected error becomes an id that is answered and logged, never a traceback."""

import secrets

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.measures import ERRORS

log = structlog.get_logger(__name__)


class Guard:
    """ASGI middleware round everything: the show goes on and the error gets an id."""

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
                await refusal(500, f"something went wrong; the log has it under {error_id}", error_id=error_id)(
                    scope, receive, send
                )


def refusal(status: int, error: str, **more: object) -> JSONResponse:
    """`{"error": ...}` with whatever helps the sender."""
    headers = {"Retry-After": "5"} if status == 503 else {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": error, **more}, status_code=status, headers=headers)


async def http_error(_request: Request, error: Exception) -> Response:
    """Starlette's own refusals (404, 405) in the same form."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refusal(status, str(error.detail) if isinstance(error, HTTPException) else "error")
