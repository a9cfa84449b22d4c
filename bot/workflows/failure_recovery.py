"""What happens when a workflow ends badly: a new attempt of the triage, a question to people, another draft.

Called without a journal and perhaps twice, so everything here is idempotent.
"""

import structlog

from bot.core.errors import NotFound
from bot.core.investigation.triage_state import TriageState
from bot.ports import Engine
from bot.store.answers.postmortems import Postmortems
from bot.store.answers.questions import Questions
from bot.store.triage.triage import Triages
from bot.workflows.investigation.questions import start
from bot.workflows.remediation.approvals import Approvals

log = structlog.get_logger(__name__)
MAX_ATTEMPTS = 5


class FailureRecovery:
    """`mismatch` and `failure` are callbacks of the engine, which is built before what they need."""

    def attach(
        self, engine: Engine, triages: Triages, postmortems: Postmortems, approvals: Approvals, questions: Questions
    ) -> None:
        """Set the collaborators."""
        self.engine, self.triages, self.postmortems, self.approvals = engine, triages, postmortems, approvals
        self.questions = questions

    async def mismatch(self, workflow: str, id: str, why: str) -> None:
        """The journal of a run does not fit the code of this version."""
        _, ref, *rest = id.split(":")
        if workflow == "triage":
            await self._rank_again(ref, int(rest[0]))
        elif workflow == "remediation":
            await self.approvals.claims.give_up(ref, why)
        elif workflow == "postmortem":
            await self._write_again(ref, int(rest[0]), why)
        elif workflow == "question":
            await self._answer_again(int(ref), int(rest[0]))

    async def _rank_again(self, ref: str, attempt: int) -> None:
        if await self.triages.resolved(ref):
            return
        if attempt >= MAX_ATTEMPTS:
            await self._triage_failed(ref, attempt)
            return
        # The new attempt answers the same question of the same person.
        row = await self.triages.row(ref, attempt)
        question = (row.question, row.requester) if row is not None else ()
        await self.engine.start("triage", f"triage:{ref}:{attempt + 1}", ref, attempt + 1, *question)

    async def _answer_again(self, number: int, attempt: int) -> None:
        if attempt < MAX_ATTEMPTS:
            await start(self.engine, number, attempt + 1)
        else:
            await self.questions.failed(number)

    async def _write_again(self, ref: str, number: int, why: str) -> None:
        if number < MAX_ATTEMPTS:
            await self.engine.start("postmortem", f"postmortem:{ref}:{number + 1}", ref, number + 1)
        else:
            await self.postmortems.failed(ref, number, why)

    async def _triage_failed(self, ref: str, attempt: int) -> None:
        await self.triages.update(ref, attempt, state=TriageState.FAILED, finished_at=self.triages.db.clock())
        text = "The triage failed; press Investigate to run it again"
        await self.triages.add_entry(ref, text, key=f"failed:{ref}:{attempt}")

    async def failure(self, workflow: str, id: str, why: str) -> None:
        """A workflow raised: people see it in the message of its subject."""
        _, ref, *rest = id.split(":")
        try:
            if workflow == "triage":
                await self._triage_failed(ref, int(rest[0]))
            elif workflow == "remediation":
                await self.approvals.claims.give_up(ref, why)
            elif workflow == "postmortem":
                await self._write_again(ref, int(rest[0]), why)
            elif workflow == "question":
                await self.questions.failed(int(ref))
        except NotFound as error:
            log.warning("the subject of a failed workflow does not exist", workflow=workflow, id=id, why=str(error))
