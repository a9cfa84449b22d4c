"""A change before the onset, with what its code, its versions and what moved with it say of it: each weighed once."""

from dataclasses import dataclass

from bot.core.change import Change
from bot.core.facts.measured import JumpFact
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.changes.code_evidence import CodeReading
from bot.core.ranking.changes.versions import VersionComparison


@dataclass(frozen=True)
class WeighedChange:
    """A change with what speaks for it."""

    change: Change
    code: CodeReading
    versions: VersionComparison
    drift: Deviation | None = None
    """A resource that has climbed since."""
    ran_out: bool = False
    """New lines say that there is no more of it, and where the climb began is known."""
    sign: Deviation | None = None
    """What moved with it before anything failed."""
    jump: JumpFact | None = None
    """The largest jump of a signal of its service with it."""
    coincident: bool = False
    """It is the one change just before, of a service of which nobody knows whether what fails rests on it."""

    @property
    def carried(self) -> bool:
        """Whether its version alone shows the symptom."""
        return self.versions.factor > 1

    @property
    def is_measured(self) -> bool:
        """Whether something was seen to begin with it before anything failed."""
        return self.sign is not None or (self.drift is not None and self.drift.climbs_since is not None)

    @property
    def decided(self) -> bool:
        """Whether something besides its moment speaks for or against it."""
        return self.carried or self.versions.factor < 1 or self.code.explains or self.code.unrelated
