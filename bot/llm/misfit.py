"""What a model is told whose answer does not fit its form: where and why, never what it wrote there."""

from pydantic import ValidationError

MOST = 5
"""Places that are named: a model corrects those first."""


def misfit(error: Exception) -> str:
    """The message that the model gets back. Its own words are left out: a secret in them would come back cut in pieces."""
    cause: BaseException | None = getattr(error, "source", error)
    while cause is not None and not isinstance(cause, ValidationError):
        cause = cause.__cause__
    if cause is None:
        return "Give one answer, in the form that is asked for."
    found = cause.errors(include_url=False, include_context=False, include_input=False)
    places = [f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}" for one in found[:MOST]]
    more = f"; and {len(found) - MOST} more" if len(found) > MOST else ""
    return f"The answer does not fit its form. {'; '.join(places)}{more}. Give it again, corrected."
