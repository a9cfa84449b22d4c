"""What a model is told about an answer that does not fit."""

from langchain.agents.structured_output import StructuredOutputValidationError
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict

from bot.llm.misfit import misfit


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cause: str


def refused(data: dict[str, object]) -> Exception:
    """What langchain raises for these arguments."""
    try:
        Form.model_validate(data)
    except ValueError as error:
        wrapped = ValueError(f"Failed to parse data to Form: {error}")
        wrapped.__cause__ = error
        return StructuredOutputValidationError("Form", wrapped, AIMessage(""))
    raise AssertionError("it fits")


def test_it_names_the_place_and_the_reason_and_repeats_nothing_that_stands_there() -> None:
    told = misfit(refused({"cause": 7, "token": "sk-live-abcdef"}))

    assert "cause: Input should be a valid string" in told and "token: Extra inputs" in told
    assert "sk-live" not in told and "7" not in told


def test_many_places_are_counted() -> None:
    told = misfit(refused({"cause": "x", **{f"more_{n}": n for n in range(9)}}))

    assert told.count("Extra inputs") == 5 and "and 4 more" in told


def test_an_error_of_another_kind_asks_for_one_answer() -> None:
    assert "one answer" in misfit(ValueError("two answers at once: sk-live-abcdef"))
