"""Right answers in twenty further wordings: other clocks, units, factors, sums, rates, thresholds and word orders."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.core.change import Change, kind_in_words
from bot.core.evidence import Claim, Findings
from bot.core.facts.measured import DeviationFact
from tests.answers.reading import Reading, cause, claim
from tests.answers.true_answers import answered

Style = Callable[[Reading], Findings]
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def _answer(of: Reading, *claims: Claim | None, text: str = "", ruled_out: tuple[Claim, ...] = ()) -> Findings:
    """The right cause with these claims, and the change named as one that follows it."""
    change = of.change
    written = [one for one in claims if one is not None]
    main = cause(text or f"{of.root}: {of.subject}", of.root, of.kind, *written, change_id=change.id if change else "")
    return answered(main, ruled_out=list(ruled_out))


def _changed(of: Reading, words: Callable[[Change], str]) -> Claim | None:
    """What is said of the change at fault, where one is."""
    return claim(words(of.change), of.changes, of.health(of.root)) if of.change else None


def _grew(of: Reading, words: Callable[[DeviationFact], str]) -> Claim | None:
    """What is said of the resource, provider or traffic at fault, where it is one."""
    return claim(words(of.trouble), of.health(of.root)) if of.trouble else None


def _twelve(at: datetime) -> str:
    return f"{at:%I:%M}".lstrip("0") + f" {at:%p}".lower()


def _both(row: DeviationFact) -> tuple[float, float]:
    return row.before or 0.0, row.after or 0.0


def twelve_hour_clock(of: Reading) -> Findings:
    return _answer(
        of,
        claim(f"{of.root} has had trouble since {_twelve(of.onset)} UTC", of.health(of.root)),
        _changed(of, lambda c: f"the {kind_in_words(c.kind)} was at {_twelve(c.at)}"),
        _grew(of, lambda t: f"{t.signal} began to climb before that"),
    )


def decimal_ratios(of: Reading) -> Findings:
    row = of.symptom(of.root)
    before, after = _both(row)
    figure = f"{before:.3f} to {after:.3f}" if row.unit == "ratio" else f"{before:.3f} s to {after:.2f} s"
    return _answer(
        of,
        claim(f"{row.signal} ({of.root}) went from {figure}", of.health(of.root)),
        _changed(of, lambda c: f"{c.title} by {c.author}"),
        _grew(of, lambda t: f"{t.signal}: {t.after or 0:.2f}" if t.unit == "ratio" else f"{t.signal} {t.after or 0:.1f}"),
    )


def other_units(of: Reading) -> Findings:
    row = of.symptom(of.root)
    before, after = _both(row)
    figure = (
        f"{10 * 100 * after:.0f} of 1000 requests fail"
        if row.unit == "ratio"
        else f"p95 is {1000 * after:,.0f} ms, it was {before:.2f} s"
    )
    return _answer(
        of,
        claim(f"{of.root}: {figure}", of.health(of.root)),
        _changed(of, lambda c: f"{c.kind} on {of.root}, {(of.onset - c.at).total_seconds() / 60:.1f} min earlier"),
        _grew(of, lambda t: f"{t.signal} is what moved first" if t.signal != "traffic" else "traffic is what moved"),
    )


def one_in_so_many(of: Reading) -> Findings:
    row = of.symptom(of.root)
    after = row.after or 0.0
    if row.unit == "ratio":
        text = (
            f"one in {round(1 / after)} requests fails" if after < 0.45 else f"roughly {round(10 * after)} in 10 requests fail"
        )
    else:
        text = f"the slowest requests need some {after:.1f} seconds"
    return _answer(
        of,
        claim(f"At {of.root} {text}", of.health(of.root)),
        _changed(of, lambda c: f"{c.author} made the {kind_in_words(c.kind)} less than a quarter of an hour before"),
        _grew(of, lambda t: f"{t.signal} went up"),
    )


def past_the_threshold(of: Reading) -> Findings:
    row = of.symptom(of.root)
    after = row.after or 0.0
    limit = {"errors": 0.02, "latency": 0.6, "bad_requests": 0.05}[row.signal]
    shown = "600 ms" if row.signal == "latency" else f"{100 * limit:.0f} %"
    return _answer(
        of,
        claim(f"{row.signal} of {of.root} is {after / limit:.1f} times the {shown} above which it is bad", of.health(of.root)),
        _changed(of, lambda c: f"{c.id.partition(':')[2]} precedes it"),
        _grew(of, lambda t: f"so is its {t.signal} outside its usual range"),
    )


def iso_moments(of: Reading) -> Findings:
    return _answer(
        of,
        claim(f"Onset at {of.root}: {of.onset:%Y-%m-%dT%H:%M:%SZ}", of.health(of.root)),
        _changed(of, lambda c: f"Change recorded: {c.at:%Y-%m-%d %H:%M:%S}+00:00"),
        _grew(of, lambda t: f"{t.signal} on {of.onset:%d %b %Y}"),
        text=f"Since {of.onset:%H:%M:%S}Z: {of.subject}",
    )


def intervals(of: Reading) -> Findings:
    fired = of.of.case.started_at
    assert fired is not None
    wait = round((fired - of.onset).total_seconds())
    return _answer(
        of,
        claim(
            f"{of.root} failed {wait} s before the alert of {fired:%H:%M:%S}, that is {wait / 60:.1f} minutes",
            of.health(of.root),
            of.alerts,
        ),
        _changed(of, lambda c: f"from change to alert: {round((fired - c.at).total_seconds())} seconds"),
        _grew(of, lambda t: f"{t.signal} deviates as well"),
    )


def counted_signals(of: Reading) -> Findings:
    facts = of.entry("service_health", of.root).evidence.facts.deviations
    moved = [row for row in facts if row.doublings > 0]
    return _answer(
        of,
        claim(
            f"{DIGITS[len(moved)].capitalize()} of the {len(facts)} signals of {of.root} deviate; "
            f"{len(facts) - len(moved)} stayed normal",
            of.health(of.root),
        ),
        _changed(of, lambda c: f"the newest {c.kind} of {of.root} came right before"),
        _grew(of, lambda t: f"among those that deviate is {t.signal}"),
    )


def versions(of: Reading) -> Findings:
    def words(change: Change) -> str:
        if change.version and change.previous_version:
            return f"it runs v{change.version} now (before: v{change.previous_version})"
        return f"the {kind_in_words(change.kind)} '{change.title}'"

    text = f"v{of.change.version} of {of.root}" if of.change and of.change.version else ""
    return _answer(
        of,
        claim(f"{of.root} left its normal range", of.health(of.root)),
        _changed(of, words),
        _grew(of, lambda t: f"{t.signal} is at fault, no version is"),
        text=text,
    )


def sum_of_alerts(of: Reading) -> Findings:
    entry = of.entry("active_alerts")
    counts: dict[str, int] = {}
    for row in entry.evidence.facts.alerts or ():
        counts[row.service] = counts.get(row.service, 0) + 1
    named = sorted(((n, s) for s, n in counts.items() if s), reverse=True)[:2]
    total = sum(n for n, _ in named)
    return _answer(
        of,
        claim(f"{' and '.join(s for _, s in named)} have {total} alerts between them", entry.id),
        claim(f"what they wait for is {of.root}, outside its range since {of.onset:%H:%M:%S}", of.health(of.root)),
        _changed(of, lambda c: f"its {kind_in_words(c.kind)} is the trigger"),
        _grew(of, lambda t: f"its {t.signal} is the trigger"),
    )


def passive(of: Reading) -> Findings:
    row = of.symptom(of.root)
    return _answer(
        of,
        claim(
            f"At {of.level(row.after, row.unit, 2)}, up from {of.level(row.before, row.unit, 2)}, stands the "
            f"{row.signal.replace('_', ' ')} figure of {of.root}",
            of.health(of.root),
        ),
        _changed(of, lambda c: f"Put into production at {c.at:%H:%M:%S} by {c.author}: {c.title}"),
        _grew(of, lambda t: f"At {of.level(t.after, t.unit)} now: {t.signal}"),
    )


def growth_in_percent(of: Reading) -> Findings:
    row = of.symptom(of.root)
    before, after = _both(row)
    text = (
        f"{row.signal} grew by {100 * (after / before - 1):,.0f} %"
        if before > 0.001
        else f"{row.signal} grew from nothing to {of.level(after, row.unit)}"
    )
    return _answer(
        of,
        claim(f"{of.root}: {text}", of.health(of.root)),
        _changed(of, lambda c: f"{kind_in_words(c.kind)} of {c.at:%H:%M}"),
        _grew(of, lambda t: f"{t.signal} rose too"),
    )


def lines_a_minute(of: Reading) -> Findings:
    logs, grown = of.logs(of.alerting), of.grown(of.alerting)
    said = None
    if logs and grown:
        minutes = (of.of.now - of.onset).total_seconds() / 60
        said = claim(f"{grown[0].count} lines of a new kind in {of.alerting}, none expected of most", logs.id)
        assert minutes > 0
    return _answer(
        of,
        claim(f"{of.root} deviates", of.health(of.root)),
        said,
        _changed(of, lambda c: f"{c.kind} {c.version or c.title} went out {round((of.onset - c.at).total_seconds())}s before"),
        _grew(of, lambda t: f"{t.signal} moved from {of.level(t.before, t.unit)}"),
    )


def failing_requests_a_second(of: Reading) -> Findings:
    row, facts = of.symptom(of.root), of.entry("service_health", of.root).evidence.facts.deviations
    traffic = next(fact for fact in facts if fact.signal == "traffic")
    rate = (traffic.after or 0.0) * (row.after or 0.0)
    text = (
        f"{of.level(row.after, row.unit)} of {traffic.after or 0:.1f} req/s fail, about {rate:.0f} requests a second"
        if row.unit == "ratio"
        else f"at {traffic.after or 0:.1f} req/s it answers in {of.level(row.after, row.unit)}"
    )
    return _answer(
        of,
        claim(f"{of.root}: {text}", of.health(of.root)),
        _changed(of, lambda c: f"nothing but the {kind_in_words(c.kind)} changed there"),
        _grew(of, lambda t: f"{t.signal} is the reason"),
    )


def spelled_out(of: Reading) -> Findings:
    row = of.symptom(of.root)
    after = row.after or 0.0
    share = next(
        w for limit, w in ((0.2, "some"), (0.4, "a third"), (0.6, "half"), (0.71, "two thirds"), (2, "most")) if after < limit
    )
    text = f"about {share} of all requests" if row.unit == "ratio" and share not in ("some", "most") else "many requests"
    seconds = f"more than {DIGITS[int(after)]} seconds" if row.unit == "seconds" and after >= 1 else "longer than usual"
    return _answer(
        of,
        claim(f"{of.root}: {text} fail" if row.unit == "ratio" else f"{of.root} takes {seconds}", of.health(of.root)),
        _changed(
            of, lambda c: f"the {kind_in_words(c.kind)} came within two minutes" if _near(of, c) else "it was changed before"
        ),
        _grew(of, lambda t: f"its {t.signal} is far above normal"),
    )


def _near(of: Reading, change: Change) -> bool:
    return (of.onset - change.at).total_seconds() < 120


def with_what_stayed_normal(of: Reading) -> Findings:
    facts = of.entry("service_health", of.root).evidence.facts.deviations
    normal = [row for row in facts if row.doublings <= 0 and row.after is not None][:2]
    listed = ", ".join(f"{row.signal} at {of.level(row.after, row.unit)}" for row in normal)
    return _answer(
        of,
        claim(f"{of.root} fails although {listed} stayed normal", of.health(of.root)),
        _changed(of, lambda c: f"so its {kind_in_words(c.kind)} remains"),
        _grew(of, lambda t: f"only {t.signal} explains it"),
    )


def neighbours_ruled_out(of: Reading) -> Findings:
    calm = [
        e
        for e in of.of.ledger
        if e.tool == "service_health" and not any(row.doublings > 0 for row in e.evidence.facts.deviations)
    ][:2]
    ruled_out = tuple(
        claim(f"{e.arguments['service']}: all {len(e.evidence.facts.deviations)} signals look normal", e.id) for e in calm
    )
    return _answer(
        of,
        claim(f"{of.root} is the lowest service that fails", of.health(of.root), of.graph(of.root)),
        _changed(of, lambda c: f"it was changed {round((of.onset - c.at).total_seconds())} seconds before the first failures"),
        _grew(of, lambda t: f"{t.signal} of {of.root} is out of range, and no service below it deviates"),
        ruled_out=ruled_out,
    )


def one_chain(of: Reading) -> Findings:
    fired = of.of.case.started_at
    assert fired is not None
    start = f"{of.change.at:%H:%M:%S} {of.change.kind} -> " if of.change else ""
    return _answer(
        of,
        claim(
            f"{start}{of.onset:%H:%M:%S} {of.root} deviates -> {fired:%H:%M:%S} {of.alerting} alerts",
            of.health(of.root),
            of.changes,
            of.alerts,
        ),
        _grew(of, lambda t: f"{of.root} {t.signal} -> {of.alerting}"),
    )


def decimal_comma(of: Reading) -> Findings:
    row = of.symptom(of.root)
    after = row.after or 0.0
    figure = f"{100 * after:.1f}".replace(".", ",") + " %" if row.unit == "ratio" else f"{after:.2f}".replace(".", ",") + " s"
    return _answer(
        of,
        claim(f"{of.root} {row.signal}: {figure}", of.health(of.root)),
        _changed(of, lambda c: f"nach {kind_in_words(c.kind)} um {c.at:%H:%M:%S}"),
        _grew(of, lambda t: f"{t.signal} zu hoch"),
    )


def points_and_plus(of: Reading) -> Findings:
    row = of.symptom(of.root)
    before, after = _both(row)
    figure = f"+{100 * (after - before):.1f}pp" if row.unit == "ratio" else f"+{after - before:.2f}s"
    between = (
        f"between {int(100 * after)} and {int(100 * after) + 1} %"
        if row.unit == "ratio"
        else f"between {int(10 * after) / 10:.1f} and {int(10 * after) / 10 + 0.1:.1f} s"
    )
    return _answer(
        of,
        claim(f"{of.root}: {row.signal} {figure}, {between} now", of.health(of.root)),
        _changed(of, lambda c: f"~{round((of.onset - c.at).total_seconds())}s after {c.version or c.title}"),
        _grew(of, lambda t: f"{t.signal} ~{100 * (t.after or 0):.0f}%" if t.unit == "ratio" else f"{t.signal} up"),
    )


STYLES: Mapping[str, Style] = {
    style.__name__: style
    for style in (
        twelve_hour_clock,
        decimal_ratios,
        other_units,
        one_in_so_many,
        past_the_threshold,
        iso_moments,
        intervals,
        counted_signals,
        versions,
        sum_of_alerts,
        passive,
        growth_in_percent,
        lines_a_minute,
        failing_requests_a_second,
        spelled_out,
        with_what_stayed_normal,
        neighbours_ruled_out,
        one_chain,
        decimal_comma,
        points_and_plus,
    )
}
