"""A change before the onset, with what its code and its versions say of it."""

from dataclasses import dataclass

from bot.core.change import Change
from bot.core.ranking.changes.code_evidence import CodeReading
from bot.core.ranking.changes.versions import VersionComparison


@dataclass(frozen=True)
class WeighedChange:
    """A change with what its code and its versions say of it."""

    change: Change
    code: CodeReading
    versions: VersionComparison

    @property
    def carried(self) -> bool:
        """Whether its version alone shows the symptom."""
        return self.versions.factor > 1

    @property
    def decided(self) -> bool:
        """Whether something besides its moment speaks for or against it."""
        return self.carried or self.versions.factor < 1 or self.code.explains or self.code.unrelated
