"""The interfaces of plugins, and their discovery: one file each in a plugin package, named like the plugin."""

from bot.plugins.actions import Action, ActionContext, ActionOptions, Http, HttpAnswer, SilenceBook, WritableSystem, action
from bot.plugins.commands import Command, EntryPoint, Field, FieldErrors, Form, Reply, Request, Response, Who, command
from bot.plugins.discovery import discover, discover_actions
from bot.plugins.signatures import (
    Fetch,
    Proof,
    Signature,
    SignedRequest,
    hmac_hex,
    plain_token,
    signed_by_slack,
    standard_webhook,
    timed_hmac_hex,
)
from bot.plugins.sources import ParsedBody, Rejected, Source, SourceRequest, source
from bot.plugins.tools import Tool, ToolContext, tool

__all__ = [
    "Action",
    "ActionContext",
    "ActionOptions",
    "Command",
    "EntryPoint",
    "Fetch",
    "Field",
    "FieldErrors",
    "Form",
    "Http",
    "HttpAnswer",
    "ParsedBody",
    "Proof",
    "Rejected",
    "Reply",
    "Request",
    "Response",
    "Signature",
    "SignedRequest",
    "SilenceBook",
    "Source",
    "SourceRequest",
    "Tool",
    "ToolContext",
    "Who",
    "WritableSystem",
    "action",
    "command",
    "discover",
    "discover_actions",
    "hmac_hex",
    "plain_token",
    "signed_by_slack",
    "source",
    "standard_webhook",
    "timed_hmac_hex",
    "tool",
]
