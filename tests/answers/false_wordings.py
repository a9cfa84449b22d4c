"""Wrong answers in twenty further wordings: true figures for a wrong cause, and a right cause with a sentence that is false."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.core.change import Change, kind_in_words
from bot.core.evidence import Claim, Findings
from tests.answers.reading import Reading, cause, claim
from tests.answers.true_answers import answered

Style = Callable[[Reading], Findings]


def _right(of: Reading, *false: Claim) -> Findings:
    """The right cause, and as its only sentences these false ones beside one that names the service."""
    change = of.change
    claims = [*false, claim(f"{of.root} fails", of.health(of.root))]
    return answered(cause(f"{of.root}: {of.subject}", of.root, of.kind, *claims, change_id=change.id if change else ""))


def _figure(of: Reading) -> str:
    """The symptom of the service at fault, as it is."""
    row = of.symptom(of.root)
    return f"{of.root} {row.signal} rose from {of.level(row.before, row.unit, 2)} to {of.level(row.after, row.unit)}"


def _other_change(of: Reading) -> Change:
    """A change that broke nothing: of the failing service where it had an earlier one."""
    others = [c for c in of.of.changes if not of.of.change or c.id != of.of.change.id]
    return next((c for c in others if c.service == of.root), others[-1])


# ------------------------------------------------------------ a wrong cause, with sentences that are true


def other_change_of_the_right_service(of: Reading) -> Findings:
    change = _other_change(of)
    claims = [claim(_figure(of), of.health(of.root)), claim(f"{change.title} by {change.author}", of.changes)]
    return answered(cause(f"{kind_in_words(change.kind)} of {of.root}", of.root, "change", *claims, change_id=change.id))


def innocent_deploy_with_all_true_figures(of: Reading) -> Findings:
    change = of.innocent()
    age = round((of.onset - change.at).total_seconds())
    claims = [
        claim(
            f"{change.service} {change.previous_version} -> {change.version} {age} s before the onset",
            of.changes,
            of.health(of.root),
        ),
        claim(_figure(of), of.health(of.root)),
        claim(f"{of.alerting} alerts", of.alerts),
    ]
    return answered(cause(f"{change.title}", change.service, "change", *claims, change_id=change.id))


def innocent_deploy_with_the_split_of_another(of: Reading) -> Findings:
    change, split = of.innocent(), of.split(of.root)
    claims = [claim(f"{change.version} went out", of.changes)]
    if split:
        rows = max(of.rows(of.root), key=lambda r: r.share)
        claims.append(claim(f"{next(iter(rows.labels.values()))} carries {100 * rows.share:.0f} % of the change", split.id))
    claims.append(claim(_figure(of), of.health(of.root)))
    return answered(cause(f"the release {change.version} is bad", change.service, "change", *claims, change_id=change.id))


def innocent_deploy_named_by_version_alone(of: Reading) -> Findings:
    change = of.innocent()
    claims = [claim(_figure(of), of.health(of.root)), claim(f"deploy at {change.at:%H:%M:%S}", of.changes)]
    return answered(cause(f"{change.service} {change.version} broke it", "", "change", *claims))


def normal_memory(of: Reading) -> Findings:
    service = of.root if of.of.truth["fault"] != "memory-leak" else of.alerting
    row = next(r for r in of.entry("service_health", service).evidence.facts.deviations if r.signal in ("memory", "cpu"))
    claims = [
        claim(f"{row.signal} of {service} is at {of.level(row.after, row.unit)}", of.health(service)),
        claim(_figure(of), of.health(of.root)),
    ]
    if of.kind == "resource" and service == of.root:
        claims = claims[:1]
    return answered(
        cause(f"{service} is short of {row.signal}", service, "resource" if of.kind != "resource" else "traffic", *claims)
    )


def network(of: Reading) -> Findings:
    claims = [
        claim(_figure(of), of.health(of.root)),
        claim(f"calls from {of.alerting} to {of.root} time out", of.graph(of.alerting)),
    ]
    kind = "external" if of.kind != "external" else "traffic"
    return answered(cause(f"The network between {of.alerting} and {of.root} drops packets", of.root, kind, *claims))  # type: ignore[arg-type]


def traffic_that_is_normal(of: Reading) -> Findings:
    service = of.root if of.kind != "traffic" else of.alerting
    row = next(r for r in of.entry("service_health", service).evidence.facts.deviations if r.signal == "traffic")
    claims = [
        claim(f"{service} gets {row.after or 0:.1f} req/s", of.health(service)),
        claim(_figure(of), of.health(of.root)),
    ]
    kind = "traffic" if of.kind != "traffic" else "resource"
    return answered(cause(f"{service} gets more than it can serve", service, kind, *claims))  # type: ignore[arg-type]


def healthy_callee(of: Reading) -> Findings:
    calm = next(
        e
        for e in reversed(of.of.ledger)
        if e.tool == "service_health"
        and e.arguments["service"] != of.root
        and not any(row.doublings > 0.5 for row in e.evidence.facts.deviations)
    )
    service = str(calm.arguments["service"])
    claims = [
        claim(f"{service} was checked: {len(calm.evidence.facts.deviations)} signals", calm.id),
        claim(_figure(of), of.health(of.root)),
        claim(f"{of.root} depends on others", of.graph(of.root)),
    ]
    return answered(cause(f"{service} answers slowly", service, "dependency", *claims))


def alerting_service_by_its_own_code(of: Reading) -> Findings:
    row = of.symptom(of.alerting)
    claims = [
        claim(f"{of.alerting} {row.signal} at {of.level(row.after, row.unit)}", of.health(of.alerting)),
        claim(f"{of.alerting} has the most alerts", of.alerts),
    ]
    return answered(cause(f"A bug in {of.alerting}", of.alerting, "unknown", *claims))


def expired_cache(of: Reading) -> Findings:
    change = next(c for c in of.of.changes if c.at < of.onset - timedelta(minutes=25) and c.service != of.root)
    hours = (of.onset - change.at).total_seconds() / 3600
    claims = [
        claim(f"{change.kind} of {change.service} {hours:.1f} h ago", of.changes, of.health(of.root)),
        claim(_figure(of), of.health(of.root)),
        claim("its effect shows when caches expire", of.changes),
    ]
    return answered(cause(f"{change.title} shows late", change.service, "change", *claims, change_id=change.id))


def claims_of_the_right_one_for_the_wrong_one(of: Reading) -> Findings:
    wrong, right = of.innocent(), of.of.change
    claims = [claim(_figure(of), of.health(of.root)), claim(f"{of.root} failed first", of.health(of.root), of.graph(of.root))]
    if right:
        claims.append(claim(f"{right.title} went out at {right.at:%H:%M:%S}", of.changes))
    return answered(cause(f"{wrong.service} was deployed", wrong.service, "change", *claims, change_id=wrong.id))


def right_service_with_the_innocent_version(of: Reading) -> Findings:
    wrong = of.innocent()
    claims = [claim(_figure(of), of.health(of.root)), claim(f"{wrong.version} went out right before", of.changes)]
    return answered(cause(f"{of.root} fails since {wrong.version}", of.root, "change", *claims, change_id=wrong.version))


WRONG_CAUSES: Mapping[str, Style] = {
    style.__name__: style
    for style in (
        other_change_of_the_right_service,
        innocent_deploy_with_all_true_figures,
        innocent_deploy_with_the_split_of_another,
        innocent_deploy_named_by_version_alone,
        normal_memory,
        network,
        traffic_that_is_normal,
        healthy_callee,
        alerting_service_by_its_own_code,
        expired_cache,
        claims_of_the_right_one_for_the_wrong_one,
        right_service_with_the_innocent_version,
    )
}


# ------------------------------------------------------------ the right cause, with a first sentence that is false


def wrong_number(of: Reading) -> Findings:
    row = of.symptom(of.root)
    after = (row.after or 0.0) * (0.6 if (row.after or 0.0) > 0.5 else 1.5)
    return _right(of, claim(f"{of.root} {row.signal} rose to {of.level(after, row.unit)}", of.health(of.root)))


def swapped_direction(of: Reading) -> Findings:
    row = of.symptom(of.root)
    text = f"{of.root} {row.signal} fell from {of.level(row.after, row.unit)} to {of.level(row.before, row.unit, 2)}"
    return _right(of, claim(text, of.health(of.root)))


def wrong_onset(of: Reading) -> Findings:
    return _right(of, claim(f"{of.root} fails since {of.onset - timedelta(minutes=17):%H:%M:%S}", of.health(of.root)))


def wrong_interval(of: Reading) -> Findings:
    change = of.change or of.innocent()
    minutes = round((of.onset - change.at).total_seconds() / 60) + 23
    return _right(
        of, claim(f"{change.kind} {change.version} came {minutes} min before the onset", of.changes, of.health(of.root))
    )


def wrong_factor(of: Reading) -> Findings:
    row = of.signal(of.root, "latency", "errors", "bad_requests")
    before, after = row.before or 0.0, row.after or 0.0
    factor = 3.7 * after / before if before > 0.001 else 17.3
    return _right(of, claim(f"{row.signal} of {of.root} grew {factor:.1f}-fold", of.health(of.root)))


def wrong_unit(of: Reading) -> Findings:
    row = of.symptom(of.root)
    after = row.after or 0.0
    text = f"{100 * after:.1f} seconds" if row.unit == "ratio" else f"{after:.2f} ms"
    return _right(of, claim(f"{row.signal} of {of.root} is at {text}", of.health(of.root)))


def wrong_version(of: Reading) -> Findings:
    return _right(of, claim(f"{of.root} runs 7.41.3 since the roll-out", of.changes, of.health(of.root)))


def figure_of_another_service(of: Reading) -> Findings:
    row = of.symptom(of.root)
    text = f"{of.alerting} {row.signal} rose to {of.level(row.after, row.unit)}"
    return _right(of, claim(text, of.health(of.root)))


FALSE_SENTENCES: Mapping[str, Style] = {
    style.__name__: style
    for style in (
        wrong_number,
        swapped_direction,
        wrong_onset,
        wrong_interval,
        wrong_factor,
        wrong_unit,
        wrong_version,
        figure_of_another_service,
    )
}
