"""The accounts of the world and its tocsin.yaml, as the README of the items tells them."""

from dataclasses import dataclass, field
from typing import Any

from tests.attacks.cast import ON_CALL_GROUP, TEAM

Json = dict[str, Any]
SERVICE, CHANNEL, ELSEWHERE = "checkout", "C0CHECKOUT", "C0ELSEWHERE"
ELSEWHERE_TEAM = "T0ELSEWHERE"
STANDBY = ["commander", "relief", "second"]
PAIR = ["{node}-a", "{node}-b"]
VERIFY: Json = {"signal": "errors", "below": 0.02, "within": "2s"}


@dataclass(frozen=True)
class Account:
    """One account of Slack; `person` is the key in tocsin.yaml, "" for people outside of it."""

    user: str
    name: str
    person: str = ""
    email: str = ""
    more: Json = field(default_factory=dict)


def _person(user: str, person: str) -> Account:
    return Account(user, person, person, f"{person}@example.com")


ACCOUNTS: dict[str, Account] = {
    "on_call": _person("U0FAKEONCALL", "oncall"),
    "secondary": _person("U0FAKESECOND", "second"),
    "commander": _person("U0FAKEIC0001", "commander"),
    "new_commander": _person("U0FAKEIC0003", "relief"),
    "deputy": _person("W0FAKEIC0002", "deputy"),
    "owner": _person("U0FAKEOWNER1", "owner"),
    "admin": _person("U0FAKEADMIN1", "admin"),
    "outsider": _person("U0FAKEMOLE01", "mole"),
    "guest": Account("U0FAKEGUEST1", "commander", more={"is_guest": True, "is_single_channel_guest": True}),
    "other_bot": Account("U0FAKEBOT001", "helperbot", more={"is_bot": True}),
    "stranger": Account("U0FAKEEXT001", "commander", more={"team": ELSEWHERE_TEAM}),
}


def accounts(roles: Json) -> dict[str, Account]:
    """The cast, and the further accounts of an item: `{role: {user, name, email}}`."""
    further = {role: Account(made["user"], made["name"], email=made["email"]) for role, made in roles.items()}
    return {**ACCOUNTS, **further}


def as_slack_takes(account: Account) -> Json:
    """The account as the sandbox is told of it."""
    return {"id": account.user, "name": account.name, "email": account.email, **account.more}


def configuration(hook: str) -> Json:
    """tocsin.yaml of the world; `hook` is the address of the remote side and of Prometheus."""
    people = {a.person: {"slack": a.user, "email": a.email} for a in ACCOUNTS.values() if a.person}
    signal = {"promql": f'errors{{service="{SERVICE}"}}', "unit": "ratio", "bad_above": 0.02}
    service = {
        "owners": ["owner"],
        "on_call": {"usergroup": ON_CALL_GROUP},
        "channel": CHANNEL,
        "signals": {"errors": signal},
    }
    return {
        "people": people,
        "services": {
            SERVICE: service,
            "standby": {"on_call": {"rotation": STANDBY}, "channel": "C0"},
        },
        "default_channel": "C0",
        "sources": {"am": {"kind": "alertmanager"}},
        "approvers": {"deputies": ["deputy"], "admins": ["admin", "owner"]},
        "prometheus": {"url": hook},
        "actions": _actions(hook),
        "break_glass": ["commander"],
        "solo": "after",
    }


def _actions(hook: str) -> Json:
    state = f'pods{{service="{SERVICE}"}}'
    node: Json = {"parameters": ["node"]}
    return {
        "restart": _entry(hook, "restart", idempotent=True, undo="back", options={"state": state}),
        "scale": _entry(hook, "scale", "replicas", idempotent=True, undo="back", options={"state": state}),
        "rollback": _entry(hook, "rollback", undo="back", options={"state": state, "undoes": True}),
        "drain": _entry(hook, "drain", "node", idempotent=True, options={**node, "targets": ["{node}"]}),
        "drain_pair": _entry(hook, "drain_pair", "node", idempotent=True, options={**node, "targets": PAIR}),
        "failover": _entry(hook, "failover", tier=3, undo="back"),
        "reindex": _entry(hook, "reindex", tier=3, idempotent=True),
        "back": _entry(hook, "back"),
    }  # fmt: skip


def _entry(hook: str, name: str, *arguments: str, **more: Any) -> Json:
    body = {"service": "{service}"} | {argument: f"{{{argument}}}" for argument in arguments}
    return {"kind": "run_webhook", "url": f"{hook}/run/{name}", "body": body, "verify": VERIFY, "allow_private": True, **more}


def merged(target: Any, patch: Any) -> Any:
    """JSON merge patch, RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


__all__ = ["ACCOUNTS", "CHANNEL", "ELSEWHERE", "ON_CALL_GROUP", "SERVICE", "TEAM", "Account", "accounts", "configuration"]
