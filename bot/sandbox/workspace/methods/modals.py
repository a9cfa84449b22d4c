"""views.*: modals and the home tab."""

from __future__ import annotations

import time

from bot.sandbox.workspace.methods.registry import Args, Json, method
from bot.sandbox.workspace.state import Workspace


@method("views.open")
async def views_open(ws: Workspace, args: Args) -> Json:
    """Open a modal before the person whose click made the trigger id."""
    trigger = ws.triggers.spend(args.need("trigger_id"), time.monotonic())
    view = ws.views.open(trigger.user, args.document("view"))
    ws.show_views(trigger.user)
    return {"view": view.as_slack()}


@method("views.push")
async def views_push(ws: Workspace, args: Args) -> Json:
    """Put a modal on top of the one the click happened in."""
    trigger = ws.triggers.spend(args.need("trigger_id"), time.monotonic())
    view = ws.views.push(trigger.user, args.document("view"))
    ws.show_views(trigger.user)
    return {"view": view.as_slack()}


@method("views.update")
async def views_update(ws: Workspace, args: Args) -> Json:
    """Replace what a modal shows."""
    view = ws.views.update(args.text("view_id"), args.text("external_id"), args.document("view"), args.text("hash"))
    ws.show_views(view.user)
    return {"view": view.as_slack()}


@method("views.publish")
async def views_publish(ws: Workspace, args: Args) -> Json:
    """Replace a person's home tab."""
    user = ws.person(args.need("user_id")).id
    view = ws.views.publish(user, args.document("view"), args.text("hash"))
    ws.feed.publish("home", user=user, view=view.as_slack())
    return {"view": view.as_slack()}
