"""files.*: the three steps of an upload."""

from __future__ import annotations

from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.filestore import File
from bot.sandbox.workspace.methods.chat import BOT_AUTHOR, as_event, content, thread_of, writable_channel
from bot.sandbox.workspace.methods.registry import Args, Json, method
from bot.sandbox.workspace.people import BOT_USER_ID
from bot.sandbox.workspace.state import Workspace


@method("files.getUploadURLExternal")
async def upload_url(ws: Workspace, args: Args) -> Json:
    """Where to send the bytes of a file."""
    file = ws.files.announce(args.need("filename"), args.number("length", 0), BOT_USER_ID, args.text("alt_txt"))
    return {"upload_url": f"{ws.base_url}/upload/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal")
async def complete_upload(ws: Workspace, args: Args) -> Json:
    """Finish uploads and, with a channel, share them there in one message."""
    request = args.document("files")
    if not isinstance(request, list) or not request:
        raise Refused("invalid_arguments", ["[ERROR] missing required field: files"])
    files = [_uploaded(ws, one) for one in request]
    for channel_id in [args.text("channel_id"), *args.names("channels")]:
        if channel_id:
            _share(ws, files, channel_id, args)
    for file in files:
        file.complete = True
    return {"files": [file.as_slack(ws.base_url) for file in files]}


def _uploaded(ws: Workspace, request: Json) -> File:
    file = ws.files.get(str(request.get("id", "")))
    if file.body is None:
        raise Refused("file_not_found")
    file.title = str(request.get("title") or file.name)
    return file


def _share(ws: Workspace, files: list[File], channel_id: str, args: Args) -> None:
    channel = writable_channel(ws, channel_id)
    comment = Args({"text": args.text("initial_comment"), "blocks": args.values.get("blocks")})
    words = content(ws, comment) if comment.text("text") or comment.values["blocks"] else {"text": ""}
    shown = [file.as_slack(ws.base_url) for file in files]
    message = ws.post(channel, {**BOT_AUTHOR, **words, **thread_of(channel, args), "files": shown, "upload": True})
    for file in files:
        file.shares.append((channel.id, message.ts))
    ws.event_sink(as_event(channel, message) | {"subtype": "file_share"})


@method("files.info")
async def file_info(ws: Workspace, args: Args) -> Json:
    """One file and where it was shared."""
    file = ws.files.get(args.need("file"))
    shares: Json = {}
    for channel, ts in file.shares:
        shares.setdefault("public", {}).setdefault(channel, []).append({"ts": ts})
    return {"file": {**file.as_slack(ws.base_url), "shares": shares}}
