"""Step scripts are read by meaning."""

import pytest

from tests.attacks.phrases import Kind
from tests.attacks.script import Step, read_script


def steps(*texts: str) -> list[Step]:
    return [step for step in read_script({"steps": texts}).steps if step.text != "(taken for granted)"]


def kinds(*texts: str) -> list[Kind]:
    return [step.kind for step in steps(*texts)]


@pytest.mark.parametrize(
    ("text", "who", "verdict"),
    [
        ("U0FAKEGUEST1 presses Approve", ("guest",), "approve"),
        ("the owner denies", ("owner",), "deny"),
        ("IC and deputy press Approve at the same time", ("commander", "deputy"), "approve"),
        ("single-channel guest with approver's display name clicks Approve", ("guest",), "approve"),
    ],
)
def test_presses_by_role(text: str, who: tuple[str, ...], verdict: str) -> None:
    (step,) = steps(text)

    assert (step.kind, step.who, step.verdict) == (Kind.PRESS, who, verdict)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("database row parameters are changed before the worker starts", Kind.TAMPER),
        ("the kill switch is set", Kind.PAUSE),
        ("a freeze window begins", Kind.FREEZE),
        ("IC hands over command", Kind.HANDOVER),
        ("someone writes 'approved' in the thread", Kind.TEXT),
        ("IC adds :white_check_mark: to the card", Kind.EMOJI),
        ("the deployment now has 40 pods", Kind.MOVED),
        ("no X-Slack-Signature header", Kind.NO_SIGNATURE),
        ("wait for expiry", Kind.WAIT),
        ("kill -9 after the remote call", Kind.KILL),
    ],
)
def test_other_steps(text: str, kind: Kind) -> None:
    assert kinds(text) == [kind]


def test_a_proposal_names_tier_requester_action_and_number() -> None:
    asked, summed = steps("U0FAKEONCALL requests act-1 tier2", "five proposals of 2 targets each for the same service")

    assert (asked.kind, asked.who, asked.tier) == (Kind.PROPOSE, ("on_call",), 2)
    assert (summed.count, summed.targets) == (5, 2)


def test_a_script_without_a_proposal_takes_one_for_granted() -> None:
    assert read_script({"steps": ["body changed by one byte"]}).steps[0].kind is Kind.PROPOSE


def test_what_cannot_be_read_is_said() -> None:
    assert read_script({"steps": ["the moon is full"]}).unread == ("the moon is full",)
