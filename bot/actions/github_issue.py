"""Open an issue in the service's repository. API: https://docs.github.com/en/rest/issues/issues#create-an-issue"""

from typing import ClassVar

from bot.actions.support.remote import JsonObject, called, outcome_of, text_at
from bot.actions.support.tickets import Ticket
from bot.core.action import DryRun, Outcome, OutcomeState
from bot.core.errors import ActionFailed
from bot.plugins import ActionContext, action


@action
class GithubIssue(Ticket):
    """Open an issue of the incident in the service's repository on GitHub.

    Helps nobody tonight; what has to be done later is not forgotten.
    """

    version: ClassVar[str] = "1"
    tracker: ClassVar[tuple[str, str]] = ("github", "GitHub")

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """Title and text. Raises ActionFailed if the repository cannot be read or takes no issues."""
        repository = self.project(ctx)
        about = await self.system(ctx).read(f"/repos/{repository}")
        if about.get("has_issues") is False:
            raise ActionFailed(f"{repository} takes no issues.")
        text = f"issue in {repository}: {self.headline(ctx)}\n{self.body(ctx, marked=False)}"
        return DryRun(ok=True, text=text, targets={repository: ""})

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one request."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        body = {"title": self.headline(ctx), "body": self.body(ctx, marked=True)}
        path = f"/repos/{self.project(ctx)}/issues"
        answer = await self.system(ctx).write("POST", path, body, key=ctx.idempotency_key)
        number = text_at(answer.json, "number")
        return outcome_of("GitHub", answer, f"Issue {number} is open.", remote_id=number)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Search the newest issues for the key of this run. A list may lag behind: that it is missing proves nothing."""
        newest = {"state": "all", "sort": "created", "direction": "desc", "per_page": "50"}
        try:
            issues = await self.system(ctx).listed(f"/repos/{self.project(ctx)}/issues", **newest)
        except ActionFailed:
            return None
        issue = next((row for row in issues if ctx.idempotency_key in str(row.get("body"))), None)
        if issue is None:
            return None
        number = text_at(issue, "number")
        return Outcome(state=OutcomeState.DONE, text=f"Issue {number} is open.", remote_id=number)

    async def find(self, ctx: ActionContext) -> JsonObject | None:
        """The issue of this number."""
        return await self.system(ctx).find(f"/repos/{self.project(ctx)}/issues/{ctx.remote_id}")
