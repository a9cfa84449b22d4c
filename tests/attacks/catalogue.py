"""The configuration of the stage: one service a script, one catalogue entry a tier, all calls to a server of ours."""

from typing import Any

from tests.attacks.cast import ON_CALL_GROUP, people
from tests.attacks.script import Step

TIER_OF = {
    **dict.fromkeys(("restart", "restart_service", "scale", "scale_deployment", "silence", "silence_alert"), 1),
    **dict.fromkeys(("rollback", "rollback_deploy", "toggle", "toggle_feature_flag", "drain", "drain_node"), 2),
    **dict.fromkeys(("failover", "failover_database"), 3),
}
STATE = 'pods{service="{service}"}'
FANS = tuple((number, width) for width in range(1, 7) for number in range(1, 9))
"""Entries with several targets each, so that scripts can add them up."""


def configuration(services: list[str], hook: str) -> dict[str, Any]:
    """tocsin.yaml as a dictionary; `hook` is where webhooks and PromQL go."""
    return {
        "people": people(),
        # On a rota elsewhere: rostered, and without any right on the services of the scripts but by leading.
        "services": {name: _service(name) for name in services}
        | {"standby": {"on_call": {"rotation": ["commander", "relief", "second"]}, "channel": "C0"}},
        "default_channel": "C0",
        "approvers": {"deputies": ["deputy"], "admins": ["admin", "owner"]},
        "actions": _actions(hook),
        "prometheus": {"url": hook},
        "solo": "after",
    }


def _service(name: str) -> dict[str, Any]:
    return {
        "owners": ["owner"],
        "on_call": {"usergroup": ON_CALL_GROUP},
        "channel": channel_of(name),
        "signals": {"errors": {"promql": f'errors{{service="{name}"}}', "unit": "ratio", "bad_above": 0.02}},
    }


def channel_of(service: str) -> str:
    """Each service talks in a channel of its own: Slack takes one message a second in each."""
    return "C" + service.upper().replace("-", "")


def _actions(hook: str) -> dict[str, Any]:
    found = {
        "tier1": _entry(hook, "tier1", idempotent=True, undo="back", options={"state": STATE}),
        "tier2": _entry(hook, "tier2"),
        "undo": _entry(hook, "undo", options={"undoes": True}),
        "tier3": _entry(hook, "tier3", tier=3),
        "back": _entry(hook, "back"),
    }  # fmt: skip
    for number, width in FANS:
        targets = [f"{{service}}-{number}-{part}" for part in range(width)]
        found[f"fan-{number}-{width}"] = _entry(hook, "fan", options={"targets": targets})
    return found


def _entry(hook: str, path: str, **more: Any) -> dict[str, Any]:
    verify = {"signal": "errors", "below": 0.02, "within": "2s"}
    url = f"{hook}/run/{path}/{{service}}"
    return {
        "kind": "run_webhook",
        "url": url,
        "body": {"service": "{service}"},
        "verify": verify,
        "allow_private": True,
        **more,
    }


def entry_of(step: Step, number: int = 1) -> str:
    """The catalogue entry a proposal step means: by targets, by tier, else by the action's name (default tier 1)."""
    if step.action == "undo":
        return "undo"
    if step.count > 1:
        return f"fan-{number}-{min(step.targets, 6)}"
    tier = step.tier if step.tier is not None else TIER_OF.get(step.action, 1)
    if step.action.startswith(("run_", "delete_", "change_", "disable_")) or tier > 3:
        return step.action or "forbidden"
    return {1: "tier1", 2: "tier2", 3: "tier3"}.get(tier, "tier1")
