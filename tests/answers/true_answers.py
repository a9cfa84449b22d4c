"""Right answers, as good models word them: exact, rounded, in factors, in sums and spans, with ids as people shorten them."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.core.change import kind_in_words
from bot.core.evidence import Claim, Findings
from tests.answers.reading import Reading, cause, claim

Style = Callable[[Reading], Findings]


def answered(*hypotheses: object, **more: object) -> Findings:
    return Findings.model_validate(
        {"hypotheses": list(hypotheses), "by": "agent", "model": "scripted", "stop_reason": "answered", **more}
    )


def exact(of: Reading) -> Findings:
    """The figures as they stand there."""
    row, trouble = of.symptom(of.root), of.trouble
    claims = [
        claim(
            f"{of.root} {row.signal} rose from {of.level(row.before, row.unit, 2)} to {of.level(row.after, row.unit)} "
            f"at {of.onset:%H:%M:%S} UTC",
            of.health(of.root),
        )
    ]
    if change := of.change:
        claims.append(claim(f"{change.version or kind_in_words(change.kind)} went out at {change.at:%H:%M:%S}", of.changes))
    if trouble:
        levels = f"from {of.level(trouble.before, trouble.unit)} to {of.level(trouble.after, trouble.unit)}"
        claims.append(claim(f"{trouble.signal} of {of.root} went {levels}", of.health(of.root)))
    claims.append(claim(f"{of.root} is called by other services, which fail with it", of.graph(of.root)))
    text = f"{of.subject[0].upper()}{of.subject[1:]} broke it"
    return answered(cause(text, of.root, of.kind, *claims, change_id=of.change.id if of.change else ""))


def in_factors(of: Reading) -> Findings:
    """How many times, and by how many points."""
    row = of.symptom(of.root)
    before, after = row.before or 0.0, row.after or 0.0
    claims: list[Claim] = []
    if before > 0:
        claims.append(
            claim(f"{row.signal} of {of.root} is up {after / before:.1f}-fold since {of.onset:%H:%M}", of.health(of.root))
        )
    if row.unit == "ratio":
        claims.append(claim(f"that is {100 * (after - before):.1f} percentage points more", of.health(of.root)))
    else:
        claims.append(claim(f"each request takes {1000 * (after - before):.0f} ms longer", of.health(of.root)))
    if (trouble := of.trouble) and trouble.before:
        claims.append(claim(f"{trouble.signal} grew {(trouble.after or 0) / trouble.before:.1f} times", of.health(of.root)))
    if change := of.change:
        ago = round((of.onset - change.at).total_seconds())
        claims.append(claim(f"the {change.kind} came {ago} s before that", of.changes, of.health(of.root)))
    claims.append(claim(f"nothing that {of.root} depends on explains it", of.graph(of.root)))
    id = of.change.id.partition(":")[2] if of.change else ""
    return answered(cause(f"{of.subject} is at fault".capitalize(), of.root, of.kind, *claims, change_id=id))


def rounded(of: Reading) -> Findings:
    """As people say it on a call."""
    row, front = of.symptom(of.root), of.symptom(of.alerting)
    claims = []
    for service, deviation in ((of.root, row), (of.alerting, front)):
        after = deviation.after or 0.0
        if deviation.unit == "ratio":
            text = f"about {round(100 * after)} % of the requests to {service} fail now"
        else:
            text = f"requests to {service} take roughly {after:.1f} s"
        claims.append(claim(text, of.health(service)))
    if change := of.change:
        claims.append(claim(f'"{change.title}" is what changed', of.changes))
    if trouble := of.trouble:
        full = trouble.unit == "ratio"
        text = (
            f"{trouble.signal} is at almost {round(100 * (trouble.after or 0))} %" if full else f"{trouble.signal} is up a lot"
        )
        claims.append(claim(text, of.health(of.root)))
    what = (
        f"{change.author}'s change of {of.root}" if (change := of.change) else f"Trouble with {of.subject.removeprefix('the ')}"
    )
    return answered(cause(what, of.root.capitalize(), of.kind, *claims, change_id=of.change.id if of.change else ""))


def by_logs(of: Reading) -> Findings:
    """Counts of lines, their sum, and one of them quoted."""
    row, grown, logs = of.symptom(of.root), of.grown(of.root), of.logs(of.root)
    claims = [claim(f"{of.root} fails since {of.onset:%H:%M:%S}", of.health(of.root))]
    if grown and logs:
        total = sum(r.count for r in grown)
        listed = " + ".join(str(r.count) for r in grown)
        claims.append(claim(f"{total} lines ({listed}) are of kinds that hardly came before", logs.id))
        example = next((r.example for r in grown if r.example), "")
        if example:
            words = " ".join(example.split()[:6]).replace('"', "").replace("'", "")
            claims.append(claim(f"one of them begins `{words}`" if "`" not in words else "they name the fault", logs.id))
    else:
        claims.append(claim(f"its {row.signal} left the normal range", of.health(of.root)))
    if of.change:
        claims.append(claim(f"its newest change is from {of.change.at:%H:%M} UTC", of.changes))
    text = f"{of.root} misbehaves because of {of.subject}"
    return answered(cause(text, of.root, of.kind, *claims, change_id=of.change.id if of.change else ""))


def in_spans(of: Reading) -> Findings:
    """Durations of several units, and what is ruled out."""
    others = [c for c in of.of.changes if c.at < of.onset - timedelta(minutes=70) and (not of.change or c.id != of.change.id)]
    row = of.symptom(of.root)
    claims = [claim(f"{of.root} {row.signal} is {row.signal}-wise worse from {of.onset:%H:%M:%S}Z on", of.health(of.root))]
    older = others[0]
    minutes = round((of.onset - older.at).total_seconds() / 60)
    apart = f"{minutes // 60} h {minutes % 60} min"
    ruled_out = [claim(f"the {older.kind} of {older.service} is {apart} older than the onset", of.changes, of.health(of.root))]
    if change := of.change:
        age = (of.onset - change.at).total_seconds()
        claims.append(claim(f"only {age:.0f} seconds lie between the {change.kind} and the first failures", of.changes))
    if trouble := of.trouble:
        claims.append(claim(f"its {trouble.signal} had left the normal range by then", of.health(of.root)))
    claims.append(claim(f"of {len(of.of.changes)} changes on the list none else fits", of.changes))
    text = f"{of.root}: {of.subject}"
    main = cause(text, of.root, of.kind, *claims, change_id=of.change.id if of.change else "")
    return answered(main, ruled_out=ruled_out)


def by_split(of: Reading) -> Findings:
    """By what carries it: a version, a provider; where nothing was split, against the callers."""
    entry, row = of.split(of.root), of.symptom(of.root)
    claims = [claim(f"{of.root} {row.signal}: {of.level(row.after, row.unit, 0)}", of.health(of.root))]
    rows = [r for r in of.rows(of.root) if r.after is not None]
    if entry and rows:
        best = max(rows, key=lambda r: r.share)
        value = next(iter(best.labels.values()))
        unit = entry.evidence.facts.unit
        claims.append(
            claim(f"{value} shows {of.level(best.after, unit)} and {round(100 * best.share)} % of the change", entry.id)
        )
    callers = sorted(s for s in of.of.services if s not in (of.root, of.alerting) and _suffers(of, s))
    if callers:
        caller = of.symptom(callers[0])
        claims.append(claim(f"{callers[0]} feels it with {of.level(caller.after, caller.unit)}", of.health(callers[0])))
    if of.change:
        claims.append(claim(f"{of.root} was changed right before", of.changes))
    if trouble := of.trouble:
        claims.append(claim(f"{trouble.signal} at {of.level(trouble.after, trouble.unit)}", of.health(of.root)))
    version = f" {of.change.version}" if of.change and of.change.version else ""
    text = (
        f"{of.subject}{version} is why {of.alerting} fails".capitalize()
        if not version
        else f"{of.root}{version} is the culprit"
    )
    return answered(cause(text, of.root, of.kind, *claims, change_id=of.change.id if of.change else ""))


def _suffers(of: Reading, service: str) -> bool:
    try:
        return bool(of.symptom(service))
    except StopIteration:
        return False


def short(of: Reading) -> Findings:
    """Few words, a bound, no id where only one change can be meant, and a second cause that is called unlikely."""
    row = of.symptom(of.root)
    after = row.after or 0.0
    bound = f"over {int(95 * after)} % fail" if row.unit == "ratio" else f"p95 above {0.9 * after:.1f} s"
    claims = [claim(f"{of.root}: {bound}", of.health(of.root))]
    if change := of.change:
        claims.append(claim(f"{kind_in_words(change.kind)} {change.version or change.title} precedes it", of.changes))
    elif trouble := of.trouble:
        claims.append(claim(f"{trouble.signal}: first", of.health(of.root)))
    other = of.innocent()
    second = cause(
        f"{kind_in_words(other.kind)} of {other.service}",
        other.service,
        "change",
        claim("newer, and its service only suffers", of.changes),
        change_id=other.id,
        confidence="unlikely",
    )
    said = f"{kind_in_words(of.change.kind)} {of.change.version or of.change.title}" if of.change else of.subject
    return answered(cause(said, of.root, of.kind, *claims), second)


STYLES: Mapping[str, Style] = {
    style.__name__: style for style in (exact, in_factors, rounded, by_logs, in_spans, by_split, short)
}
