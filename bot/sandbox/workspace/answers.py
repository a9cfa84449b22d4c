"""What comes back without a token: answers at a response URL, uploads, downloads."""

from __future__ import annotations

import time
from email import message_from_bytes
from email.message import Message as Mail
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox.workspace.api import read_arguments
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.methods.chat import BOT_AUTHOR, content
from bot.sandbox.workspace.methods.registry import Args
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.triggers import ResponseUrl

Json = dict[str, Any]


class Answers:
    """Response URLs and file bytes of one workspace."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    async def respond(self, request: Request) -> Response:
        """`POST /response/<token>`: a private or public answer, or a change of the message that was clicked."""
        url = self._ws.response_urls.get(str(request.path_params["token"]))
        status, error = 200, ""
        try:
            arguments = await read_arguments(request)
            if url is None:
                raise Refused("invalid_url")
            url.use(time.monotonic())
            answer(self._ws, url, arguments)
        except Refused as refused:
            status, error = 404 if refused.code.endswith("_url") else 400, refused.code
        self._ws.calls.append(
            {"method": "response_url", "status": status, "error": error or None, "at": self._ws.now(), "arguments": {}}
        )
        return Response("ok") if not error else JSONResponse({"ok": False, "error": error}, status)

    async def upload(self, request: Request) -> Response:
        """`POST /upload/<id>`: the bytes, bare or as a form's only file."""
        try:
            file = self._ws.files.get(str(request.path_params["file_id"]))
        except Refused:
            return Response("unknown upload", 404)
        body = await request.body()
        kind = request.headers.get("content-type", "")
        file.body = _first_part(kind, body) if kind.startswith("multipart/") else body
        if len(file.body) != file.length:
            size, file.body = len(file.body), None
            return Response(f"expected {file.length} bytes, got {size}", 400)
        return Response(f"OK - {file.length}")

    async def download(self, request: Request) -> Response:
        """`GET /files/<id>/<name>`: pictures as they are, all else as plain text."""
        try:
            file = self._ws.files.get(str(request.path_params["file_id"]))
        except Refused:
            return Response("no such file", 404)
        media = file.kind[1] if file.kind[1].startswith("image/") else "text/plain"
        return Response(file.body or b"", media_type=media, headers={"X-Content-Type-Options": "nosniff"})


def answer(ws: Workspace, url: ResponseUrl, arguments: Json) -> None:
    """Do what a response URL's request (or a command's ack) asks for."""
    args = Args(arguments)
    channel = ws.channels[url.channel]
    if args.flag("delete_original") or args.flag("replace_original"):
        _change_original(ws, url, args)
        return
    doc = {**BOT_AUTHOR, **content(ws, args)}
    thread = args.text("thread_ts") or (url.thread_ts if args.text("response_type") != "in_channel" else "")
    if thread:
        doc["thread_ts"] = thread
    if args.text("response_type") == "in_channel":
        ws.post(channel, doc)
    else:
        ws.add_ephemeral(channel.id, url.user, doc)


def _change_original(ws: Workspace, url: ResponseUrl, args: Args) -> None:
    channel = ws.channels[url.channel]
    if url.is_ephemeral:
        ws.ephemerals = [e for e in ws.ephemerals if e["ts"] != url.message_ts]
        ws.feed.publish("ephemeral_gone", ts=url.message_ts, user=url.user)
        if not args.flag("delete_original"):
            ws.add_ephemeral(channel.id, url.user, {**BOT_AUTHOR, **content(ws, args)})
        return
    if url.message_ts not in channel.messages:
        raise Refused("message_not_found")
    if args.flag("delete_original"):
        ws.delete(channel, url.message_ts)
    else:
        ws.edit(channel, channel.messages[url.message_ts], content(ws, args))


def _first_part(content_type: str, body: bytes) -> bytes:
    mail: Mail = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = mail.get_payload()
    payload = parts[0].get_payload(decode=True) if isinstance(parts, list) and parts and isinstance(parts[0], Mail) else b""
    return payload if isinstance(payload, bytes) else b""
