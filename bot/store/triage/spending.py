"""What investigations and questions cost together, beside the limit."""

from sqlalchemy import ColumnElement
from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import QuestionRow, TriageRow


async def spent(session: AsyncSession, attempts: ColumnElement[bool], questions: ColumnElement[bool]) -> float:
    """Dollars that these attempts and these questions cost or have set aside."""
    of_attempts = select(func.coalesce(func.sum(TriageRow.usd), 0.0)).where(attempts)
    of_questions = select(func.coalesce(func.sum(QuestionRow.usd), 0.0)).where(questions)
    return float((await session.exec(of_attempts)).one()) + float((await session.exec(of_questions)).one())


def fits(spent: float, usd: float, limit: float) -> bool:
    """Whether so much more may be spent."""
    return spent < limit and spent + usd <= limit
