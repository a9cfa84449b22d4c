"""The fingerprint rules of sources beside the alerts that they are for, for `tocsin doctor` and `tocsin config check`."""

from collections.abc import Callable, Mapping, Sequence

from bot.core.check import Check, absent, failed, ok
from bot.core.config import Config
from bot.core.config.alerts import FingerprintRule
from bot.core.text.untrusted import counted, one_line

Labels = Mapping[str, str]


def check_fingerprints(config: Config, stored: Callable[[str], Sequence[Labels]]) -> list[Check]:
    """One check for each source with rules; `stored`: the labels of a source's newest alerts, as they were sent."""
    return [
        _check(f"Fingerprint {name}", source.fingerprint, stored(source.replica_of or name))
        for name, source in config.sources.items()
        if source.fingerprint
    ]


def _check(name: str, rules: Sequence[FingerprintRule], alerts: Sequence[Labels]) -> Check:
    if not alerts:
        return absent(name, f"nothing came of this source yet to compare {counted(len(rules), 'rule')} with")
    fitted = [next((index for index, rule in enumerate(rules) if rule.fits(labels)), None) for labels in alerts]
    if unused := [index for index in range(len(rules)) if index not in fitted]:
        texts = "; ".join(_text(index, rules[index]) for index in unused)
        advice = "correct its label names, or take it out: what it is for has another identity than it says"
        return failed(name, f"matches nothing of {counted(len(alerts), 'alert')}: {texts}", advice)
    identities = {
        tuple(sorted(rules[index].identity(labels).items()))
        for index, labels in zip(fitted, alerts, strict=True)
        if index is not None
    }
    count = sum(index is not None for index in fitted)
    share = f"{counted(count, 'alert')} of {len(alerts):,}"
    return ok(name, f"{counted(len(rules), 'rule')}: {share} have {counted(len(identities), 'fingerprint')}")


def _text(index: int, rule: FingerprintRule) -> str:
    match = ", ".join(f"{name}={value}" for name, value in rule.match.items()) or "every alert"
    labels = f"labels {', '.join(rule.labels)}" if rule.labels else f"without {', '.join(rule.without)}"
    return one_line(f"rule {index + 1} ({match}: {labels})", 160)
