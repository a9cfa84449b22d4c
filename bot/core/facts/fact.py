"""What all facts have in common: they are JSON of a fixed shape, and what does not fit is an error."""

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from bot.core.text.untrusted import one_line


class Fact(BaseModel):
    """JSON of a fixed shape. A field that nobody set is not written, so that stored JSON is written as it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_serializer(mode="wrap")
    def _set_fields_alone(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        written, own = write(self), self.__pydantic_fields_set__
        # A list of alerts has hundreds of facts, nearly all with each field set.
        return written if len(written) == len(own) else {name: value for name, value in written.items() if name in own}


def problem_of(error: ValidationError) -> str:
    """What does not fit, and where: `deviations.0.after: Field required`. Never the content, which is untrusted text."""
    first, *others = error.errors(include_url=False, include_context=False, include_input=False)
    where = one_line(".".join(map(str, first["loc"])), 120)
    more = f" and {len(others)} more" if others else ""
    return f"{where}: {first['msg']}{more}" if where else f"{first['msg']}{more}"
