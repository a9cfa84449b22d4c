"""What is observed of an incident in words: log lines, signals that deviate, and the alert's own words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.diffs.symptoms.code_text import code_names
from bot.core.diffs.symptoms.request_text import reports_failure
from bot.core.diffs.symptoms.stated_causes import NOT_RESOLVED, different_hosts, says_why


@dataclass(frozen=True)
class SymptomText:
    """A log line, an alert's words or the name of a signal that tells of the trouble."""

    text: str
    evidence: str
    service: str = ""
    """Whose it is; "" for what belongs to the incident as a whole."""
    gone: bool = False
    """True for lines that fell silent."""
    signal: bool = False
    """True for the name of a signal: it tells what is hurt and seldom which code."""
    log: bool = False
    """True for a log line: users of the service may have written a part of it."""
    began: datetime | None = None
    """Of a signal: when it left its normal range, if that is known."""
    alert: bool = False
    """True for the alert's own words, which its author wrote before anything failed: they tell what is hurt, like a signal."""

    usual: bool = False
    """True for a line that came before as well, and comes more often now."""
    apart: bool = False
    """Whether its service is not known to be called by what was changed: that may still have brought it about."""

    @property
    def mentions_only(self) -> bool:
        """Whether what it says may be there because a user wrote it: a log line that tells of no failure."""
        return self.log and not reports_failure(self.text)

    @property
    def by_code(self) -> str:
        """The names in it that the program wrote; the others somebody may have typed."""
        return "" if self.mentions_only else code_names(self.text)


@dataclass(frozen=True)
class Symptoms:
    """What is observed of an incident, in words."""

    texts: Sequence[SymptomText] = ()
    usual: Sequence[str] = ()
    """Lines as they come on any day: their words distinguish nothing."""

    def since(self, moment: datetime) -> "Symptoms":
        """Without signals that had left their normal range before: what was rolled out then did not bring that."""
        return replace(self, texts=[text for text in self.texts if text.began is None or text.began >= moment])

    def relative_to(self, service: str, callees: Collection[str]) -> "Symptoms":
        """The same, with what is of others than the changed service and those that it calls marked as apart."""
        own = {"", service, *callees}
        return replace(self, texts=[replace(text, apart=text.service not in own) for text in self.texts])

    def new(self) -> list[SymptomText]:
        """Lines and words that came with the trouble."""
        return [symptom for symptom in self.texts if not symptom.gone and not symptom.signal]

    def with_reliable_names(self) -> list[SymptomText]:
        """Those whose names may say what is at fault: where several hosts are not resolved, none of these is.

        Nor is what met a failure that its line says the cause of: somebody else's lock, a sequence that is used up.
        """
        several = self.of_several_hosts()
        new = (symptom for symptom in self.new() if NOT_RESOLVED.search(symptom.text) or not says_why(symptom.text))
        return [symptom for symptom in new if symptom not in several]

    def of_several_hosts(self) -> list[SymptomText]:
        """The lines that names are not resolved, where these are several: none of them is at fault."""
        unresolved = [symptom for symptom in self.new() if NOT_RESOLVED.search(symptom.text)]
        return unresolved if different_hosts(symptom.text for symptom in unresolved) else []
