"""Open an issue in the service's repository. API: https://docs.github.com/en/rest/issues/issues#create-an-issue"""

from typing import ClassVar

from bot.actions._remote import RemoteSystem, called, outcome_of, text_at
from bot.actions._tickets import Ticket
from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification, VerificationState
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed
from bot.plugins import ActionContext, HttpAnswer, action


@action
class GithubIssue(Ticket):
    """Open an issue of the incident in the service's repository on GitHub.

    Helps nobody tonight; what has to be done later is not forgotten.
    """

    version: ClassVar[str] = "1"
    floor: ClassVar[Tier] = Tier.ONE

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """1: it is seen by others, and can be closed."""
        return Tier.ONE

    def undo_text(self) -> str:
        """An issue is closed by hand."""
        return "closing the issue by hand"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The repository."""
        return (_github(ctx).name_of(self.service),)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The one step."""
        return [f"open an issue in {self.targets(ctx)[0]}"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """Title and text. Raises ActionFailed if the repository cannot be read or takes no issues."""
        repository = self.targets(ctx)[0]
        about = await _github(ctx).read(f"/repos/{repository}")
        if about.get("has_issues") is False:
            raise ActionFailed(f"{repository} takes no issues.")
        text = f"issue in {repository}: {self.headline(ctx)}\n{self.body(ctx, marked=False)}"
        return DryRun(ok=True, text=text, targets={repository: ""})

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one request."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        body = {"title": self.headline(ctx), "body": self.body(ctx, marked=True)}
        path = f"/repos/{self.targets(ctx)[0]}/issues"
        answer = await _github(ctx).write("POST", path, body, key=ctx.idempotency_key)
        return outcome_of("GitHub", answer, f"Issue {_number(answer)} is open.", remote_id=_number(answer))

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Search the newest issues for the key of this run."""
        path = f"/repos/{self.targets(ctx)[0]}/issues"
        try:
            issues = await _github(ctx).listed(path, state="all", sort="created", direction="desc", per_page="50")
        except ActionFailed:
            return None
        issue = next((row for row in issues if ctx.idempotency_key in str(row.get("body"))), None)
        if issue is None:
            # A list may lag behind what was just created: that it is missing proves nothing.
            return None
        number = text_at(issue, "number")
        return Outcome(state=OutcomeState.DONE, text=f"Issue {number} is open.", remote_id=number)

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether the issue is there."""
        try:
            issue = await _github(ctx).find(f"/repos/{self.targets(ctx)[0]}/issues/{ctx.remote_id}")
        except ActionFailed as error:
            return Verification(state=VerificationState.COULD_NOT_VERIFY, text=str(error))
        if issue is None:
            return Verification(state=VerificationState.NOT_RECOVERED, text=f"issue {ctx.remote_id} is not there")
        return Verification(state=VerificationState.RECOVERED, text=f"issue {ctx.remote_id} is there")


def _github(ctx: ActionContext) -> RemoteSystem:
    return RemoteSystem(ctx, "github", "GitHub")


def _number(answer: HttpAnswer) -> str:
    return text_at(answer.json, "number")
