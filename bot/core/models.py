"""Model versions as a registry tells them."""

from dataclasses import dataclass
from datetime import datetime

SERVING_ALIASES = ("champion", "production", "prod", "live", "serving")
"""Names under which teams serve a version; the first that is set counts. Case does not matter."""
SERVING_STAGE = "production"


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model."""

    model: str
    version: str
    registered_at: datetime
    updated_at: datetime
    """When its stage or description was edited last."""
    aliases: tuple[str, ...] = ()
    stage: str = ""
    status: str = ""
    run: str = ""
    link: str = ""

    @property
    def serves_as(self) -> str:
        """The alias or stage under which it serves; "" if it does not."""
        known = {alias.casefold(): alias for alias in self.aliases}
        named = next((known[alias] for alias in SERVING_ALIASES if alias in known), "")
        return named or (self.stage if self.stage.casefold() == SERVING_STAGE else "")

    @property
    def since(self) -> datetime:
        """The earliest moment from which it can have served: a stage tells it, an alias only that it was registered before."""
        by_alias = any(alias.casefold() in SERVING_ALIASES for alias in self.aliases)
        return self.registered_at if by_alias else self.updated_at
