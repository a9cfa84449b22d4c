"""The errors with which the stand-in refuses a call."""

from __future__ import annotations


class Refused(Exception):
    """A call that Slack would answer with `ok: false`.

    `code` is Slack's error name, `messages` its explanation (`response_metadata.messages`), `retry_after` whole
    seconds for a 429.
    """

    def __init__(
        self, code: str, messages: list[str] | None = None, *, retry_after: int | None = None, needed: str = ""
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages or []
        self.retry_after = retry_after
        self.needed = needed
