"""The words of the items and what the product calls them: the one place to translate when the product renames."""

from collections.abc import Mapping

STATES = frozenset(
    (
        "pending",
        "partly approved",
        "approved",
        "claimed",
        "executing",
        "verifying",
        "succeeded",
        "not recovered",
        "could not verify",
        "failed",
        "unknown",
        "denied",
        "expired",
        "withdrawn",
        "superseded",
        "stale",
        "stopped",
    )
)
REFUSED = "refused"
"""Never became a proposal."""
SETS: Mapping[str, frozenset[str]] = {
    "waits": frozenset(("pending", "partly approved")),
    "not run": frozenset(("denied", "expired", "withdrawn", "superseded", "stale", "stopped", REFUSED)),
    "ran": frozenset(("verifying", "succeeded", "not recovered", "could not verify")),
    REFUSED: frozenset((REFUSED,)),
}
FINAL = STATES - {"pending", "partly approved", "approved", "claimed", "executing", "verifying"}
WAITING = SETS["waits"]

BUTTONS: Mapping[str, str] = {"approve": "approve", "deny": "deny", "did": "did", "renew": ""}
"""Button -> action_id; "" for one that the product has not."""

POINTS = frozenset(("decide", "wake", "look again", "claim", "execute", "call", "outcome"))
WITHIN = frozenset(("decide", "wake", "call", "outcome"))
"""Points within something that a bot works on; the others are steps of the workflow, and nothing works before one."""
WORKFLOW = "remediation:"

AUDIT_KINDS = frozenset(("edge", "approve", "deny", "refused", "alarm", "policy"))
TABLES = frozenset(("proposals", "decisions", "claims", "attempts", "incidents", "audit"))
AUDIT_COLUMNS: Mapping[str, str] = {"kind": "what", "who": "who", "to": "after"}

COMMAND = "/incident"
GOOD, BAD = 0.001, 0.5
"""The signal `errors`; it is bad above 0.02."""


def states(names: object) -> frozenset[str]:
    """The product's states behind one word or a list of words. Raises ValueError for a word that is none."""
    words = [str(name) for name in names] if isinstance(names, list) else [str(names)]
    for word in words:
        if word not in STATES and word not in SETS:
            raise ValueError(f"unknown state {word!r}")
    return frozenset(state for word in words for state in SETS.get(word, (word,)))


def button(name: str) -> str:
    """The action_id of a button. Raises ValueError for one that nobody knows."""
    if name not in BUTTONS:
        raise ValueError(f"unknown button {name!r}")
    return BUTTONS[name]


def of_kind(kind: str, what: str) -> bool:
    """Whether an audit row with this `what` is of this kind. Raises ValueError for an unknown kind."""
    if kind not in AUDIT_KINDS:
        raise ValueError(f"unknown kind of audit row {kind!r}")
    if kind in ("refused", "alarm"):
        return what.startswith(kind)
    return what == ("proposal" if kind == "edge" else kind)


def sql_of_kind(kind: str) -> str:
    """The same as a pattern for LIKE. Raises ValueError for an unknown kind."""
    of_kind(kind, "")
    return f"{kind}%" if kind in ("refused", "alarm") else "proposal" if kind == "edge" else kind
