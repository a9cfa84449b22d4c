"""Uploaded files: an address to upload to, the bytes, where they were shared."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.workspace.errors import Refused

Json = dict[str, Any]

# By their first bytes: a name alone makes no picture.
_SIGNATURES = {b"\x89PNG\r\n": ("png", "image/png"), b"\xff\xd8\xff": ("jpg", "image/jpeg"), b"GIF8": ("gif", "image/gif")}


@dataclass
class File:
    """One file; `body` is None until it was uploaded, `shares` are (channel, ts)."""

    id: str
    name: str
    length: int
    user: str
    alt_text: str = ""
    title: str = ""
    body: bytes | None = None
    complete: bool = False
    shares: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kind(self) -> tuple[str, str]:
        """Slack's file type and the media type."""
        for start, kind in _SIGNATURES.items():
            if self.body and self.body.startswith(start):
                return kind
        return ("markdown", "text/markdown") if self.name.endswith(".md") else ("text", "text/plain")

    def as_slack(self, base_url: str) -> Json:
        """The file object."""
        filetype, mimetype = self.kind
        address = f"{base_url}/files/{self.id}/{self.name}"
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": mimetype,
            "filetype": filetype,
            "pretty_type": filetype.upper(),
            "user": self.user,
            "size": len(self.body or b""),
            "mode": "hosted",
            "is_external": False,
            "alt_txt": self.alt_text,
            "url_private": address,
            "url_private_download": address,
            "permalink": address,
            "channels": sorted({channel for channel, _ in self.shares}),
        }


class Files:
    """All files of the workspace by id."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}

    def announce(self, name: str, length: int, user: str, alt_text: str) -> File:
        """Reserve an id for a file that is about to be uploaded."""
        if length <= 0:
            raise Refused("invalid_arguments", ["[ERROR] length must be greater than 0"])
        file = File("F" + secrets.token_hex(5).upper(), name.replace("/", "_") or "file", length, user, alt_text)
        self._files[file.id] = file
        return file

    def get(self, file_id: str) -> File:
        """The file, or `file_not_found`."""
        if file_id not in self._files:
            raise Refused("file_not_found")
        return self._files[file_id]

    def exists(self, name: str) -> bool:
        """Whether an image block may show it: by id, or by the address that ends in id and name."""
        return any(file.complete and (file.id == name or f"/{file.id}/" in name) for file in self._files.values())
