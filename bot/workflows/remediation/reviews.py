"""Reminds people of what was approved by break-glass and that nobody has reviewed: every day, until somebody has."""

from datetime import timedelta

from bot.core.text.moments import date_to_the_minute
from bot.store.approvals.break_glass_reviews import BreakGlassReviews, BreakGlassUse
from bot.store.oversight.reminders import ReminderLines

EVERY = timedelta(days=1)


class ReviewsTick:
    """`await tick()` is one round; each day has one line for each use."""

    def __init__(self, reviews: BreakGlassReviews, lines: ReminderLines) -> None:
        self.reviews = reviews
        self.lines = lines

    async def __call__(self) -> None:
        config = self.reviews.config
        for use in await self.reviews.waiting():
            if not (day := (self.lines.db.clock() - use.opened_at) // EVERY):
                continue
            owners = config.services[use.service].owners if use.service in config.services else ()
            people = dict.fromkeys((*owners, *config.approvers.deputies, *config.approvers.admins))
            others = [person for person in people if person != use.person]
            await self.lines.announce(f"break-glass-review:{use.ref}:{day}", config.default_channel, self._text(use), others)

    def _text(self, use: BreakGlassUse) -> str:
        late = self.lines.db.clock() > use.review_by
        when = f"{'was due' if late else 'is due by'} {date_to_the_minute(use.review_by)}"
        what = f"what {use.person} approved by break-glass ({', '.join(use.proposals)} on {use.service})"
        return f"Nobody has reviewed {what}; that {when}. Say: break-glass review {use.ref} <what you found>."
