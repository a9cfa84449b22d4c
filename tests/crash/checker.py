"""The invariants: whatever died and when, these hold. Each check answers with sentences about what does not."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from tests.crash.history import History
from tests.crash.people import OVER
from tests.real.slack import COMMANDER, Json, key_of

BACK_SECONDS = 60.0
"""The promise: within so many seconds of the last restart an approved action has begun, or it is unknown whether it ran."""
LATE_SECONDS = 120.0
"""So long after the end of a step the next one may begin, and no longer: what people looked at must not grow old."""
RAN_ONCE = ("succeeded", "not recovered", "could not verify", "verifying")
MAY_APPROVE = ("bob",)


def check(history: History) -> list[str]:
    """Everything that is wrong with a scenario; empty if nothing is."""
    return [f"{name.__name__.replace('_', ' ')}: {what}" for name in CHECKS for what in name(history)]


def acknowledged_implies_stored(h: History) -> Iterator[str]:
    """What was answered with 2xx is in the database, and a resolution that was answered ended its episode."""
    stored = {(e["fingerprint"], _moment(e["starts_at"])): e["status"] for e in h.stored}
    for alert in h.alerts:
        status = stored.get((alert["fingerprint"], _moment(alert["starts_at"])))
        if status is None:
            yield f"{alert['name']} {alert['fingerprint']} was acknowledged and is not stored"
        elif alert["status"] == "resolved" and status != "resolved":
            yield f"{alert['name']} was acknowledged as resolved and stands as {status}"
    yield from (
        f"change {id} was acknowledged and is not stored" for id in h.changes if f"pipeline:{id}" not in h.known_changes
    )


def each_group_one_card(h: History) -> Iterator[str]:
    """One card a group, and no message twice."""
    keys = Counter(h.keys())
    cards = {group["ref"]: keys["card:" + group["ref"]] for group in h.groups}
    yield from (f"{ref} has {n} cards" for ref, n in cards.items() if n != 1)
    yield from (f"{key} stands {n} times" for key, n in keys.items() if n > 1)


def at_most_one_execution_an_approval(h: History) -> Iterator[str]:
    """By proposal, and by step of a plan: its idempotency key says which."""
    runs = Counter(_run_of(job) for job in h.executions)
    yield from (f"{ref} ran {n} times" for ref, n in runs.items() if n > 1)


def _run_of(job: Json) -> str:
    """`AP-1`, or `AP-1 step 2`."""
    ref, _, _, *step = job["key"].split(":")
    return f"{ref} step {step[0]}" if step else str(ref)


def _runs_of(p: Json) -> list[str]:
    """What of a proposal is known to have run once: of a plan that is unknown all steps before the last one begun."""
    if not p["parts"]:
        return [p["ref"]] if p["state"] in RAN_ONCE else []
    known = p["steps_begun"] - (p["state"] == "unknown")
    return [f"{p['ref']} step {step}" for step in range(1, known + 1)]


def exactly_one_execution_unless_unknown(h: History) -> Iterator[str]:
    """An approved action ran once, or the bot died between attempt and outcome, and then people were told."""
    runs = Counter(_run_of(job) for job in h.executions)
    for p in h.proposals:
        if not _approved(p):
            continue
        yield from (f"{run}: {p['ref']} is {p['state']} and it ran {runs[run]} times" for run in _runs_of(p) if runs[run] != 1)
        if p["state"] == "succeeded" and p["steps_begun"] < len(p["parts"]):
            yield f"{p['ref']} is succeeded after step {p['steps_begun']} of {len(p['parts'])}"
        if p["state"] == "unknown":
            yield from _unknown(h, p)
        elif p["state"] not in RAN_ONCE and not _began_too_late(h, p):
            yield f"{p['ref']} was approved and is {p['state']}: {p['outcome'] or p['verification']}"


def _began_too_late(h: History, p: Json) -> bool:
    """Whether a plan rightly stopped because the bot died between two steps and was away, or slow, for two minutes."""
    if p["state"] != "stopped" or not p["parts"] or "did not start within 2 minutes" not in p["outcome"]:
        return False
    word = f"step {p['steps_begun']} verified"
    ended = next((_seconds(row["at"]) for row in h.audit if row["subject"] == p["ref"] and row["what"] == word), None)
    stopped = _audited(h, p["ref"], "stopped")
    if ended is None or stopped is None or stopped - ended < LATE_SECONDS:
        return False
    return any(ended <= died <= stopped for died in h.process.died_at)


def _unknown(h: History, p: Json) -> Iterator[str]:
    began, ended = _audited(h, p["ref"], "executing", last=True), _audited(h, p["ref"], "unknown")
    if began is None or not any(began <= died <= (ended or died) for died in h.process.died_at):
        yield f"{p['ref']} is unknown, and the bot did not die between its attempt and its outcome"
    if not any("not known whether it ran" in m["words"] for m in h.messages):
        yield f"{p['ref']} is unknown, and nobody was told"


def an_approved_action_begins(h: History) -> Iterator[str]:
    """Or it is unknown whether it ran. How soon is a figure: a machine that is busy takes its time (`begin_delays`)."""
    yield from (f"{p['ref']} began never" for p in h.proposals if _approved(p) and _begun(h, p) is None)


def each_execution_has_an_earlier_valid_approval(h: History) -> Iterator[str]:
    """Of the same plan, by somebody who may, who pressed on a card that showed it."""
    for job in h.executions:
        ref, revision, plan, *_ = job["key"].split(":")
        said = [row for row in h.audit if row["subject"] == ref and row["what"] == "approve" and plan in row["message"]]
        if not [row for row in said if row["who"] in MAY_APPROVE and _seconds(row["at"]) <= _seconds(job["at"])]:
            yield f"{job['key']} has no earlier approval"
        card = f"{ref} revision {revision}"
        pressed = [press for press in h.presses if press.user == COMMANDER and press.ref == ref and card in press.card]
        if not [press for press in pressed if press.at - 5 <= _seconds(job["at"])]:
            yield f"{job['key']} ran, and nobody pressed on a card of this revision before"


def each_step_of_a_plan_follows_a_verified_one(h: History) -> Iterator[str]:
    """The keyed audit had the step before as verified when a step ran, and nothing ran after one that was not."""
    for job in h.executions:
        ref, _, _, *step = job["key"].split(":")
        if step and step[0] != "1":
            word = f"step {int(step[0]) - 1} verified"
            verified = [row for row in h.audit if row["subject"] == ref and row["what"] == word]
            if len(verified) != 1 or _seconds(verified[0]["at"]) > _seconds(job["at"]):
                yield f"{job['key']} ran, and {word} stands {len(verified)} times before it"


def a_late_change_brings_one_more_attempt(h: History) -> Iterator[str]:
    """One attempt names it as what brought it about, weighs it, and is shown by the message that was there.

    None is due where an attempt that was made again by itself, before the burst of reports was over, weighed it already.
    """
    brought = [attempt for attempt in h.attempts if attempt["late_changes"]]
    ours = [attempt for attempt in brought if h.late_change in attempt["late_changes"]]
    # A look at the changes that came to nothing, cut off or on a busy machine, is made up for by one more attempt.
    looked = [attempt for attempt in ours if attempt["weighed"]]
    taken_up = [a for a in h.attempts if a["attempt"] > 1 and a["state"] == "done" and h.late_change in a["weighed"]]
    if taken_up and not ours:
        yield from _shown(h, taken_up[0])
    elif len(looked) != bool(h.late_change) or looked != ours[-1:]:
        yield f"{h.late_change} brought about {len(ours)} attempts, of which {len(looked)} saw any change"
    needless = [a for a in brought if a not in ours and _weighed_before(h, a)]
    yield from (f"{a['group']}, attempt {a['attempt']}: brought about by no late change" for a in needless)
    for attempt in looked:
        yield from _carried_out(h, attempt)


def _weighed_before(h: History, attempt: Json) -> bool:
    """Whether earlier attempts of the group had weighed all that this one was brought about by."""
    earlier = [a for a in h.attempts if a["group"] == attempt["group"] and a["attempt"] < attempt["attempt"]]
    return set(attempt["late_changes"]) <= {id for each in earlier for id in each["weighed"]}


def _carried_out(h: History, attempt: Json) -> Iterator[str]:
    who = f"{attempt['group']}, attempt {attempt['attempt']}"
    if attempt["state"] != "done":
        yield f"{who} is {attempt['state']}"
    # Whether it is ranked first depends on what the shop still shows after minutes of dying; that it was weighed does not.
    if h.late_change not in attempt["weighed"]:
        yield f"{who} never saw {h.late_change}"
    if attempt["lines"] != 1:
        yield f"{who} stands {attempt['lines']} times in the timeline"
    yield from _shown(h, attempt)


def _shown(h: History, attempt: Json) -> Iterator[str]:
    shown = [message["words"] for message in h.messages if key_of(message) == f"triage:{attempt['group']}"]
    # One made again since is about the same: the message shows the newest.
    later = [a["attempt"] for a in h.attempts if a["group"] == attempt["group"] and a["attempt"] > attempt["attempt"]]
    reason = " (late-reported change)" if attempt["late_changes"] else ""
    texts = [f"attempt {attempt['attempt']}{reason}", *(f"attempt {n}" for n in later)]
    if not any(text in words for words in shown for text in texts):
        yield f"{attempt['group']}, attempt {attempt['attempt']} is not what the message of the triage shows"


def attempts_are_numbered_without_a_gap(h: History) -> Iterator[str]:
    """Each triage of a group is the next one: none was begun twice, and none was lost."""
    for ref in {attempt["group"] for attempt in h.attempts}:
        numbers = sorted(attempt["attempt"] for attempt in h.attempts if attempt["group"] == ref)
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{ref} has the attempts {numbers}"


def the_scenario_went_on(h: History) -> Iterator[str]:
    """Nothing waits for ever, and every restart came up."""
    if h.left_undone:
        yield f"waited in vain for {h.left_undone}"
    yield from h.process.failures
    yield from (f"{p['ref']} is still {p['state']}" for p in h.proposals if p["state"] not in (*OVER, "denied", "pending"))


CHECKS: tuple[Callable[[History], Iterator[str]], ...] = (
    acknowledged_implies_stored,
    each_group_one_card,
    at_most_one_execution_an_approval,
    exactly_one_execution_unless_unknown,
    an_approved_action_begins,
    each_execution_has_an_earlier_valid_approval,
    each_step_of_a_plan_follows_a_verified_one,
    a_late_change_brings_one_more_attempt,
    attempts_are_numbered_without_a_gap,
    the_scenario_went_on,
)


def begin_delays(h: History) -> Iterator[float]:
    """Seconds from each approval, or from the readiness that followed it, until the action began."""
    for p in h.proposals:
        approved, begun = _approved(p), _begun(h, p)
        if approved is not None and begun is not None:
            yield max(0.0, begun - max([approved, *(at for at in h.process.ready_at if at <= begun)]))


def _begun(h: History, p: Json) -> float | None:
    return _audited(h, p["ref"], "executing") or _audited(h, p["ref"], "unknown")


def _approved(p: Json) -> float | None:
    at = [_seconds(d["at"]) for d in p["decisions"] if d["verdict"] == "approve" and d["person"] in MAY_APPROVE]
    return min(at) if at else None


def _audited(h: History, ref: str, state: str, *, last: bool = False) -> float | None:
    """When a proposal first came into a state, or last: a plan comes into some of them at each step."""
    moments = [_seconds(row["at"]) for row in h.audit if row["subject"] == ref and row["after"] == state]
    return (moments[-1] if last else moments[0]) if moments else None


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _moment(moment: str) -> float:
    # Alertmanager and the database write the same moment with different numbers of digits.
    return round(_seconds(moment), 3)
