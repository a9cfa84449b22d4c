"""What the commands about a cause share: the ranked ones to choose from, and a person's answer as it is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.commands._subject import name_of
from bot.core.errors import NotFound
from bot.core.evidence import Hypothesis, stored_findings
from bot.core.history.past_incidents import ConfirmedCause, named_service
from bot.core.redaction.redaction import redact
from bot.core.text.untrusted import one_line
from bot.plugins import Field, Request
from bot.store.incidents.causes import MAX_TEXT
from bot.store.triage.attempts import shown_triage_of
from bot.workflows.command_context import CommandContext

NONE = "0"
"""The choice of none of the ranked causes."""
MAX_CAUSES = 3


@dataclass(frozen=True)
class Ranked:
    """The causes that were ranked last, and in which attempt."""

    attempt: int = 0
    hypotheses: Sequence[Hypothesis] = ()

    def chosen(self, choice: str) -> dict[str, str]:
        """One of them as a person's answer. Raises NotFound."""
        if not choice.isdecimal() or not 1 <= int(choice) <= len(self.hypotheses):
            raise NotFound("There is no such cause to confirm; say in words what it was: cause <what it was>.")
        hypothesis = self.hypotheses[int(choice) - 1]
        return {
            "text": hypothesis.cause,
            "service": hypothesis.service,
            "kind": hypothesis.kind,
            "change_id": hypothesis.change_id,
        }

    def question(self) -> list[Field]:
        """A menu of them; nothing if none was ranked."""
        options = [(str(n), f"{n}. {one_line(hypothesis.cause, 68)}") for n, hypothesis in enumerate(self.hypotheses, 1)]
        menu = Field("which", "Was it one of these?", kind="select", value=NONE, options=[*options, (NONE, "None of these")])
        return [menu] if options else []


async def ranked_of(ctx: CommandContext, group: str) -> Ranked:
    """The causes of a group's newest attempt; none if it has no group or was not triaged."""
    row = await shown_triage_of(ctx.db, group) if group else None
    findings = stored_findings(row.findings) if row else None
    return Ranked(row.attempt, findings.hypotheses[:MAX_CAUSES] if findings else ()) if row else Ranked()


def confirmed_cause(ctx: CommandContext, request: Request, answer: Mapping[str, str]) -> ConfirmedCause:
    """This person's answer, now. Where no service was chosen, the one that the text names."""
    text = redact(answer["text"])[:MAX_TEXT]
    service = answer.get("service") or named_service(text, ctx.catalogue.services)
    return ConfirmedCause(**{**answer, "text": text, "service": service}, confirmed_by=name_of(request.actor), at=ctx.clock())


def joined(ranked: Ranked, choice: str, words: str) -> dict[str, str]:
    """A choice of the menu and a person's text as one; the text alone where none of the ranked causes fits."""
    if choice in ("", NONE):
        return {"text": words}
    chosen = ranked.chosen(choice)
    return {**chosen, "text": f"{chosen['text']} ({words})" if words else chosen["text"]}
