"""What versions, code, neighbours and lines that name a cause outside say of changes."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.change import Change
from bot.core.evidence import Findings
from bot.core.facts.alerting import AlertFact
from bot.core.facts.code import DiffFact, EffectFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BreakdownFact, JumpFact
from bot.core.facts.recorded import TemplateFact
from bot.core.logs.parsing import message_of
from bot.core.ranking.changes.code_evidence import read_code, symptoms_of
from bot.core.ranking.changes.versions import compare_versions, serving
from bot.core.ranking.context import ranking_context
from bot.core.ranking.observations import observe
from bot.core.ranking.ranking import rank
from bot.core.verdict.measured import Measured
from bot.core.verdict.verdict import judge
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, failing_payments, minutes

GUILTY, NEWER = change("front", 30, version="2.0.0"), change("front", 1, version="2.1.0")
MISSING = TemplateFact(template='relation "order_notes" does not exist', count=40, before=0, trend="new")


def judged(ledger: Ledger) -> Findings:
    return judge(rank(CASE, ledger.entries, now=NOW), ledger.entries, onset=ONSET)


def failing_front(*changes: object) -> Ledger:
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    return ledger.graph("front", "cart", "db").changes(*changes).health("cart").health("db")  # type: ignore[arg-type]


def code(ledger: Ledger, version: str, *diffs: DiffFact) -> Ledger:
    return ledger._add("code_changes", EvidenceFacts(diffs=diffs, version=version), source="github", service="front")


def diff(sha: str, *effects: EffectFact, inert: bool = False) -> DiffFact:
    return DiffFact(commit=sha * 40, at=ONSET - minutes(60), paths=("front/orders.py",), inert=inert, effects=effects)


QUERIES = EffectFact(kind="query", name="order_notes", path="front/orders.py")


def test_a_change_made_while_nothing_was_measured_came_at_most_so_long_before_the_onset() -> None:
    errors = replace(deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"), not_before=ONSET - minutes(2))

    def claims(minutes_before: float) -> list[str]:
        ledger = Ledger().changes(change("front", minutes_before, version="2.0.0")).health("front", errors)
        return [claim.text for claim in rank(CASE, ledger.entries, now=NOW).hypotheses[0].claims]

    assert claims(1)[0] == "deploy 2.0.0 at 11:59:00 UTC, at most 60 s before the onset"
    assert claims(3)[0] == "deploy 2.0.0 at 11:57:00 UTC, 3 min before the onset"
    assert "front errors rose from 0.2 % to 30 % between 11:58:00 and 12:00:00 UTC" in claims(1)


def test_a_deploy_whose_diff_explains_the_lines_goes_before_a_newer_one_whose_diff_does_not() -> None:
    ledger = failing_front(GUILTY, NEWER).lines("front", MISSING)

    findings = judged(code(code(ledger, "2.0.0", diff("a", QUERIES), diff("b")), "2.1.0", diff("c", inert=True)))

    first = findings.hypotheses[0]
    assert (first.change_id, first.commit, first.confidence) == (GUILTY.id, "a" * 40, "likely")
    assert any("queries order_notes" in claim.text for claim in first.claims)
    assert all(h.confidence != "likely" for h in findings.hypotheses if h.change_id == NEWER.id)


def test_a_deploy_whose_diff_has_nothing_to_do_with_it_is_never_likely_however_near() -> None:
    findings = judged(code(failing_front(NEWER).lines("front", MISSING), "2.1.0", diff("c")))

    assert all(h.confidence != "likely" for h in findings.hypotheses)
    assert not findings.hypotheses[0].change_id


@pytest.mark.parametrize(("late", "confidence"), [(0.0, "likely"), (0.4, "likely"), (0.8, "possible"), (None, "possible")])
def test_its_moment_makes_a_change_likely_only_where_its_service_began_to_fail_with_the_incident(
    late: float | None, confidence: str
) -> None:
    deploy = change("payments", 0.3, version="2.3.1", previous="2.3.0")
    errors = deviation("payments", "errors", 0.001, 0.45, doublings=4, late=late or 0.0, unit="ratio")
    errors = replace(errors, onset=None) if late is None else errors
    front = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, unit="ratio")).graph("front", "payments")

    first = judged(front.changes(deploy).health("payments", errors)).hypotheses[0]

    assert (first.change_id, first.confidence) == (deploy.id, confidence)


def test_a_version_that_was_rolled_out_amid_the_trouble_has_no_level_that_was_usual() -> None:
    deploy = change("front", 1, version="2.1.0", previous="2.0.0")
    ledger = failing_front(deploy).breakdown("front", "errors", "version", **{"2_1_0": (0.94, 0.32), "2_0_0": (0.004, 0.31)})

    compared = compare_versions(observe(ledger.entries), deploy)

    assert compared.factor < 1 and all(cause.change_id != deploy.id for cause in judged(ledger).hypotheses[:1])


def test_a_version_is_not_blamed_for_one_error_in_a_thousand_that_no_other_has() -> None:
    deploy = change("front", 1, version="2.1.0", previous="2.0.0")
    rows = [{"2_1_0": (0.5, after), "2_0_0": (0.0002, 0.0)} for after in (0.0009, 0.2)]

    compared = [
        compare_versions(observe(failing_front(deploy).breakdown("front", "errors", "version", **row).entries), deploy)
        for row in rows
    ]

    assert [one.factor > 1 for one in compared] == [False, True]


def test_of_two_changes_that_only_their_moment_tells_apart_none_is_likely() -> None:
    findings = judged(failing_front(NEWER, change("front", 2, kind="config")))

    assert all(h.confidence != "likely" for h in findings.hypotheses)
    assert any("nothing but time tells them apart" in claim.text for claim in findings.hypotheses[0].against)


def test_what_nothing_but_time_tells_from_a_named_change_is_not_ruled_out_beside_it() -> None:
    deploys = change("cart", 0.2, version="2.2.0", previous="2.1.0"), change("cart", 33, version="2.1.0", previous="2.0.8")
    findings = judged(failing_front(*deploys).graph("front", "cart").health("cart"))

    against = " ".join(claim.text for cause in findings.hypotheses for claim in cause.against)
    assert "2.1.0" in against and all("2.1.0" not in claim.text for claim in findings.ruled_out)


SHORTER = EffectFact(kind="timeout", name="read_timeout", before="2s", after="200ms", path="front/client.py")
FEWER = EffectFact(kind="pool", name="max_conns", before="50", after="5", path="front/client.py")
TIMED_OUT = TemplateFact(template="connection pool: acquire timed out", count=40, before=0, trend="new")


@pytest.mark.parametrize(
    ("minutes_before", "other", "confidence"),
    [(4, "unread", "likely"), (4, "explains it as well", "possible"), (20, "unread", "likely")],
)
def test_a_diff_that_explains_the_lines_is_likely_whenever_it_was_deployed_beside_others_that_do_not(
    minutes_before: float, other: str, confidence: str
) -> None:
    deploy, beside = change("front", minutes_before, version="2.0.0"), change("cart", 6, version="7.0.0")
    beside = beside if other == "unread" else change("front", 6, version="1.9.0")
    ledger = code(failing_front(deploy, beside).lines("front", TIMED_OUT), "2.0.0", diff("a", FEWER))
    if other != "unread":
        ledger._add("code_changes", EvidenceFacts(diffs=(diff("b", FEWER),), version="1.9.0"), source="github", service="front")

    first = judged(ledger).hypotheses[0]

    assert (first.change_id, first.confidence) == (deploy.id, confidence)


@pytest.mark.parametrize(("service", "confidence"), [("db", "possible"), ("mail", "likely")])
def test_a_diff_that_explains_the_lines_is_a_lead_where_a_callee_names_a_cause_outside(service: str, confidence: str) -> None:
    deploy = change("front", 4, version="2.0.0")
    ledger = code(failing_front(deploy).lines("front", TIMED_OUT), "2.0.0", diff("a", FEWER))
    broken = TemplateFact(template="nvme1: I/O timeout, aborting; resetting controller", count=9, before=0, trend="new")

    first = judged(ledger.lines(service, broken)).hypotheses[0]

    assert (first.change_id, first.confidence) == (deploy.id, confidence)


@pytest.mark.parametrize("line", ["malformed message: no field total", "monthly quota of requests exceeded"])
def test_a_diff_is_no_mere_lead_where_a_callee_names_what_its_caller_may_bring_about(line: str) -> None:
    deploy = change("front", 4, version="2.0.0")
    ledger = code(failing_front(deploy).lines("front", TIMED_OUT), "2.0.0", diff("a", FEWER))

    refused = TemplateFact(template=line, count=9, before=0, trend="new")
    first = judged(ledger.lines("db", refused)).hypotheses[0]

    assert (first.change_id, first.confidence) == (deploy.id, "likely")


def test_small_reasons_that_add_up_to_an_explanation_make_no_change_likely() -> None:
    guard = EffectFact(kind="guard", name="status == 403", after="status == 403", path="front/orders.py")
    words = diff("a", guard).model_copy(
        update={"added": ("search_cluster_returned", "forbidden_license", "security_exception")}
    )
    line = TemplateFact(
        template="search cluster returned 403: security exception, license forbidden", count=40, before=0, trend="new"
    )
    deploy = change("front", 3, version="2.0.0")

    assert all(
        h.confidence != "likely" for h in judged(code(failing_front(deploy).lines("front", line), "2.0.0", words)).hypotheses
    )


@pytest.mark.parametrize(("effects", "confidence"), [((), "likely"), ((QUERIES,), "possible")])
def test_what_ran_out_is_likely_only_where_no_diff_explains_the_trouble_too(
    effects: tuple[EffectFact, ...], confidence: str
) -> None:
    full = deviation("payments", "memory", 0.6, 1.0, doublings=6, late=-3, unit="ratio", family="saturation")
    ledger = failing_payments(GUILTY).health("payments", full).lines("front", MISSING)

    causes = judged(code(ledger, "2.0.0", diff("a", *effects))).hypotheses

    assert [(cause.service, cause.confidence) for cause in causes if cause.kind == "resource"] == [("payments", confidence)]


def test_a_deploy_whose_diff_nearly_explains_the_lines_goes_before_a_nearer_flag_that_no_line_names() -> None:
    flag = change("front", 2, kind="flag").model_copy(update={"title": "front_dark_mode off->on"})
    deploy = change("front", 4, version="2.0.0")
    ledger = failing_front(deploy, flag).lines("cart", TIMED_OUT)

    first = judged(code(ledger, "2.0.0", diff("a", SHORTER, FEWER))).hypotheses[0]

    assert first.change_id == deploy.id


def flag_first(minutes_before: float, line: str) -> bool:
    """Whether a flag of the failing service goes before "it fails, and nothing shows why"."""
    flag = change("front", minutes_before, kind="flag").model_copy(update={"title": "front_slack_threads off->on"})
    logged = TemplateFact(template=line, count=40, before=0, trend="new")
    return judged(failing_front(flag).lines("front", logged)).hypotheses[0].change_id == flag.id


def test_a_flag_acts_at_once_so_one_flipped_minutes_before_needs_a_line_that_names_it() -> None:
    assert flag_first(0.5, "request failed")
    assert not flag_first(5, "request failed")
    assert not flag_first(5, "slack answered token_revoked; backing off"), "one word of its name stands there by chance"
    assert flag_first(5, "cannot post slack threads: channel_not_found")


def test_names_that_are_not_resolved_and_calls_outside_that_fail_speak_for_each_other() -> None:
    calls = deviation("front", "provider errors", 0.001, 0.9, doublings=6, unit="ratio")
    unresolved = TemplateFact(template="dial tcp: lookup api.rates.example: no such host", count=50, before=0, trend="new")
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"), calls)

    findings = judged(ledger.graph("front", "cart").changes().health("cart").lines("front", unresolved))

    assert [h.kind for h in findings.hypotheses[:2]] == ["external", "external"]
    assert findings.hypotheses[0].confidence == "likely"


def test_a_provider_that_calls_and_lines_show_to_fail_is_one_cause() -> None:
    calls = deviation("front", "provider errors", 0.001, 0.9, doublings=6, unit="ratio")
    answers = TemplateFact(template="provider api.rates.io answered 503 Service Unavailable", count=50, before=0, trend="new")
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"), calls)
    ledger.graph("front", "cart").changes().health("cart").lines("front", answers)

    assert [(h.kind, h.confidence) for h in judged(ledger).hypotheses] == [("external", "likely")]
    assert "api.rates.io" in judged(failing_front().lines("front", answers)).hypotheses[0].cause


@pytest.mark.parametrize(("jumped", "confidence"), [(True, "possible"), (False, "likely")])
def test_a_certificate_is_only_possible_beside_a_change_elsewhere_with_which_something_jumped(
    jumped: bool, confidence: str
) -> None:
    deploy = change("cart", 75, version="2.0.0")
    expired = TemplateFact(template="x509: certificate has expired or is not yet valid", count=50, before=0, trend="new")
    ledger = failing_front(deploy).lines("front", expired)
    if jumped:
        calls = JumpFact(change_id=deploy.id, service="cart", signal="queries_per_item", before=1, after=40, scales=40)
        ledger._add("change_jumps", EvidenceFacts(jumps=(calls,)), service="cart")

    first = judged(ledger).hypotheses[0]

    assert (first.kind, first.confidence) == ("external", confidence)


@pytest.mark.parametrize(("path", "confidence"), [("dns/records.tf", "possible"), ("mail/letters.py", "likely")])
def test_names_that_are_not_resolved_are_only_possible_where_what_resolves_names_was_changed(
    path: str, confidence: str
) -> None:
    line = TemplateFact(template="lookup rates.int.example on 10.0.0.10:53: no such host", count=40, before=0, trend="new")
    ledger = failing_front(change("infra", 25, version="2.0.0")).lines("front", line)
    read = EvidenceFacts(diffs=(DiffFact(commit="c" * 40, at=ONSET - minutes(60), paths=(path,)),), version="2.0.0")

    first = judged(ledger._add("code_changes", read, source="github", service="infra")).hypotheses[0]

    assert ("not resolved" in first.cause, first.confidence) == (True, confidence)


def test_an_index_that_was_dropped_hours_ago_still_makes_the_statements_slow_that_needed_it() -> None:
    slow = "duration: 4210 ms execute: SELECT * FROM notes WHERE customer_ref = $1"
    migration = change("front", 110, version="2.0.0")
    index = EffectFact(kind="index", name="notes_by_customer", before="customer_ref")
    dropped = diff("a", index, index.model_copy(update={"kind": "schema"})).model_copy(update={"at": ONSET - minutes(200)})
    ledger = failing_front(migration).lines("front", TemplateFact(template=slow, count=40, before=0, trend="new"))

    assert judged(code(ledger, "2.0.0", dropped)).hypotheses[0].change_id == migration.id


def test_commits_made_after_the_roll_out_are_no_part_of_it() -> None:
    late = diff("d", QUERIES).model_copy(update={"at": ONSET})

    findings = judged(code(failing_front(NEWER).lines("front", MISSING), "2.1.0", late, diff("c")))

    assert all(h.commit != late.commit for h in findings.hypotheses)


def test_a_certificate_that_expired_outranks_a_deploy_minutes_before() -> None:
    expired = TemplateFact(template="x509: certificate has expired or is not yet valid", count=50, before=0, trend="new")

    findings = judged(failing_front(NEWER).lines("front", expired))

    assert (findings.hypotheses[0].kind, findings.hypotheses[0].change_id) == ("external", "")
    assert all(h.confidence != "likely" for h in findings.hypotheses if h.change_id)


def test_a_token_that_programs_renew_is_a_lead_and_never_likely() -> None:
    def confidence(line: str) -> str:
        expired = TemplateFact(template=line, count=50, before=0, trend="new")
        cause = judged(failing_front().lines("front", expired)).hypotheses[0]
        assert cause.kind == "external"
        return cause.confidence

    assert confidence("orders refused: access token expired at 12:00:31") == "possible"
    assert confidence("orders refused: the licence has expired") == "likely"


def test_a_machine_below_a_service_that_issues_tokens_is_no_credential() -> None:
    def likelihood(service: str) -> float:
        deploy = change("front", 4, version="2.0.0")
        broken = TemplateFact(template="nvme1: I/O timeout, aborting; resetting controller", count=9, before=0, trend="new")
        ledger = code(failing_front(deploy).lines("front", TIMED_OUT), "2.0.0", diff("a", FEWER)).lines(service, broken)
        return next(h.likelihood for h in judged(ledger).hypotheses if h.kind == "external")

    assert likelihood("token-api") == likelihood("stock-api") > 0


def test_a_revoked_token_is_a_credential_unless_it_is_a_users() -> None:
    def causes(line: str) -> list[str]:
        revoked = TemplateFact(template=line, count=50, before=0, trend="new")
        return [h.cause for h in judged(failing_front().lines("front", revoked)).hypotheses if h.kind == "external"]

    credential = ["A credential of front has expired or was revoked"]
    assert causes("post message failed: token_revoked") == causes("deploy token has been revoked") == credential
    assert causes("signed out: token of user 81 was revoked") == []
    assert causes("LDAP bind failed: LdapErr: DSID-0C09044E, AcceptSecurityContext error, data 532, v4563") == credential
    assert causes("LDAP bind failed: LdapErr: DSID-0C09044E, AcceptSecurityContext error, data 52e, v4563") == []
    assert causes("pre-authentication failed status=0x17 (KDC_ERR_KEY_EXPIRED)") == credential


def test_a_mail_that_is_refused_is_no_failing_host() -> None:
    def causes(line: str) -> list[str]:
        bounced = TemplateFact(template=line, count=50, before=0, trend="new")
        return [h.cause for h in judged(failing_front().lines("front", bounced)).hypotheses if h.kind == "external"]

    assert causes("bounced: 550 5.7.509 sender shop.example.com does not pass") == []
    assert causes("POST https://mail.example/send: 502 from mail.example") != []


def test_an_expired_credential_is_not_likely_by_itself_where_what_gives_credentials_out_was_changed() -> None:
    expired = TemplateFact(template="upload refused: the api key has expired", count=50, before=0, trend="new")

    def confidence(service: str) -> str:
        changed = change(service, 55, version="14")
        ledger = Ledger().graph("front", "cart").health("cart").changes(changed).lines("front", expired)
        ledger.health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
        cause = judged(ledger).hypotheses[0]
        assert cause.kind == "external"
        return cause.confidence

    assert (confidence("vault-config"), confidence("banner-config")) == ("possible", "likely")


@pytest.mark.parametrize(
    "line",
    [
        "process 31877 is holding the lock that the update waits for",
        "kafka write: Not Enough Replicas: fewer in-sync replicas than configured",
        "flush failed: [Errno 5] Input/output error",
        "401 Unauthorized: JWT token has expired",
        "token check: prod-sync (fine-grained) is expired since 2026-07-20T00:00:00Z",
        "POST /v2/charges: 410 Gone: API v2 was retired on 2026-07-01",
        "dial tcp: lookup feature-store.risk.svc on 10.0.0.10:53: read udp: i/o timeout",
        "InvalidSystemClock: clock moved backwards. Refusing to generate id for 1575 milliseconds",
        "RuntimeError: No CUDA GPUs are available",
        "velo auth: oauth2: cannot fetch token: 401 Unauthorized",
        "token request to https://login.carrier.example failed: 401",
        "RequestTimeTooSkewed: the difference between the request time and the current time is too large",
    ],
)
def test_what_lies_outside_the_code_outranks_a_deploy_whose_code_was_not_read(line: str) -> None:
    template = TemplateFact(template=line, count=50, before=0, trend="new")

    findings = judged(failing_front(NEWER, GUILTY).lines("front", template))

    assert (findings.hypotheses[0].kind, findings.hypotheses[0].change_id) == ("external", "")
    assert all(h.confidence != "likely" for h in findings.hypotheses if h.change_id)


@pytest.mark.parametrize(
    "line",
    [
        "login failed for bob: Bad credentials",
        "session token for user 42 is expired, redirecting to login",
        "GET /v1/old 410 Gone 3ms",
        "api server was shut down for maintenance",
        "rate limiter: failed to acquire token within 400 ms",
        "parser: expected to get token '}' at position 403",
        "token refresh completed in 400 ms",
        "failed to get token from header: 401 Unauthorized user=7",
        "cannot fetch token: waited 401 ms",
    ],
)
def test_what_users_do_wrong_is_no_cause_outside(line: str) -> None:
    template = TemplateFact(template=line, count=50, before=0, trend="new")

    assert all(h.kind != "external" for h in judged(failing_front(NEWER, GUILTY).lines("front", template)).hypotheses)


LOST_MEMBER = TemplateFact(template="kafka write: not enough in-sync replicas", count=50, before=0, trend="new")


def test_a_cause_outside_is_likely_where_the_code_of_all_that_was_changed_has_nothing_to_do_with_it() -> None:
    cleared = judged(code(failing_front(NEWER).lines("front", LOST_MEMBER), "2.1.0", diff("c")))
    unread = judged(failing_front(NEWER).lines("front", LOST_MEMBER))

    assert [(found.hypotheses[0].kind, found.hypotheses[0].confidence) for found in (cleared, unread)] == [
        ("external", "likely"),
        ("external", "possible"),
    ]


def test_a_quota_that_lines_name_is_likely_where_the_code_of_all_that_was_changed_has_nothing_to_do_with_it() -> None:
    quota = TemplateFact(template="geocode failed: daily limit of 50000 requests reached", count=50, before=0, trend="new")
    cleared = judged(code(failing_front(NEWER).lines("front", quota), "2.1.0", diff("c")))
    unread = judged(failing_front(NEWER).lines("front", quota))

    confidences = [(found.hypotheses[0].kind, found.hypotheses[0].confidence) for found in (cleared, unread)]
    assert confidences == [("resource", "likely"), ("resource", "possible")]


@pytest.mark.parametrize("line", ["weekly quota digest sent", "daily limit of user 77 is 40", "started scraping metrics of db"])
def test_that_a_quota_or_a_crawler_is_named_makes_nothing_likely(line: str) -> None:
    template = TemplateFact(template=line, count=50, before=0, trend="new")

    findings = judged(code(failing_front(NEWER).lines("front", template), "2.1.0", diff("c")))

    assert findings.hypotheses and all(h.confidence != "likely" for h in findings.hypotheses)


@pytest.mark.parametrize(
    "line",
    [
        "nextval: reached maximum value of sequence items_id_seq",
        "etcdserver: mvcc: database space exceeded",
        "publish timed out, connection.blocked by broker (low on disk)",
    ],
)
def test_what_lines_say_to_be_used_up_is_likely_minutes_after_a_deploy_whose_code_has_nothing_to_do_with_it(line: str) -> None:
    used_up = TemplateFact(template=line, count=50, before=0, trend="new")
    cleared = judged(code(failing_front(NEWER).lines("front", used_up), "2.1.0", diff("c")))
    unread = judged(failing_front(NEWER).lines("front", used_up))

    assert (cleared.hypotheses[0].kind, cleared.hypotheses[0].confidence) == ("resource", "likely")
    assert all(h.confidence != "likely" for h in unread.hypotheses)


@pytest.mark.parametrize("summary", ["writes may fail: database space exceeded", "handshakes fail: certificate has expired?"])
def test_what_only_the_words_of_the_alert_name_is_not_likely(summary: str) -> None:
    told = CASE.model_copy(update={"summary": summary})
    ledger = code(failing_front(NEWER), "2.1.0", diff("c"))
    ledger._add("active_alerts", EvidenceFacts(alerts=(AlertFact(name="X", service="front", starts_at=ONSET),)))

    assert all(h.confidence != "likely" for h in rank(told, ledger.entries, now=NOW).hypotheses)


@pytest.mark.parametrize(("jumped", "confidence"), [(False, "likely"), (True, "possible")])
def test_an_old_change_is_no_rival_of_a_cause_outside_unless_something_jumped_with_it(jumped: bool, confidence: str) -> None:
    old = change("front", 45, version="1.9.0")
    ledger = failing_front(old).lines("front", LOST_MEMBER)
    if jumped:
        hits = JumpFact(change_id=old.id, service="front", signal="cache_hit_ratio", before=0.8, after=0.1, scales=20)
        ledger._add("change_jumps", EvidenceFacts(jumps=(hits,)), service="front")

    assert [h.confidence for h in judged(ledger).hypotheses if h.kind == "external"] == [confidence]


def test_a_cause_outside_is_not_likely_where_nobody_could_say_what_was_changed() -> None:
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    ledger.graph("front", "cart").health("cart").lines("front", LOST_MEMBER).failed("recent_changes", "no answer", service="")

    assert [h.confidence for h in judged(ledger).hypotheses if h.kind == "external"] == ["possible"]


@pytest.mark.parametrize(("late", "likely"), [(0.0, True), (-14.0, False)])
def test_a_diff_that_explains_the_lines_did_not_fill_a_queue_that_was_filling_before_it(late: float, likely: bool) -> None:
    deploy = change("front", 4, version="2.1.0")
    key = EffectFact(kind="cache_key", name="user + locale", path="front/cache.py")
    missed = TemplateFact(template="cache miss: reading from the database", count=50, before=0, trend="new")
    waits = deviation("front", "queue_depth", 10, 1600, doublings=5, late=late)
    errors = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")
    ledger = Ledger().health("front", errors, waits).graph("front", "cart").changes(deploy).health("cart")

    (accused,) = [h for h in judged(code(ledger.lines("front", missed), "2.1.0", diff("a", key))).hypotheses if h.change_id]

    assert (accused.confidence == "likely") is likely
    assert any("before the change" in claim.text for claim in accused.against) is not likely


def test_a_deploy_whose_diff_surely_explains_the_lines_of_a_neighbour_is_likely_though_its_own_service_is_well() -> None:
    deploy = change("cart", 45, version="4.0.0")
    dropped = EffectFact(kind="query", name="order_notes", path="cart/migrations.sql")
    ledger = failing_front(deploy).lines("front", MISSING)
    facts = EvidenceFacts(diffs=(diff("a", dropped).model_copy(update={"paths": ("cart/migrations.sql",)}),), version="4.0.0")

    first = judged(ledger._add("code_changes", facts, source="github", service="cart")).hypotheses[0]

    assert (first.change_id, first.confidence) == (deploy.id, "likely")


LEAKS = EffectFact(kind="accumulation", name="seen_orders", path="front/orders.py")
RUNS_OUT = TemplateFact(template="worker was OOMKilled: memory limit reached", count=6, before=0, trend="new")


@pytest.mark.parametrize(("climbed", "confidence"), [("since", "likely"), ("later", "possible"), ("at once", "possible")])
def test_a_diff_that_lets_something_grow_is_likely_where_memory_has_climbed_since(climbed: str, confidence: str) -> None:
    old = change("front", 200, version="2.0.0")
    memory = deviation("front", "memory", 0.4, 0.9, doublings=3, unit="ratio", family="saturation")
    since = {"since": old.at.timestamp() + 60, "later": ONSET.timestamp() - 1200}.get(climbed)
    ledger = failing_front(old).health("front", replace(memory, climbs_since=since)).lines("front", RUNS_OUT)

    leaking = diff("a", LEAKS).model_copy(update={"at": old.at})

    first = judged(code(ledger, "2.0.0", leaking)).hypotheses[0]

    assert (first.change_id, first.confidence) == (old.id, confidence)


@pytest.mark.parametrize(("signal", "line", "confidence"), [("memory", TIMED_OUT, "likely"), ("rss_mb", RUNS_OUT, "possible")])
def test_memory_that_rises_late_clears_a_leak_of_memory_and_none_of_connections(
    signal: str, line: TemplateFact, confidence: str
) -> None:
    old = change("front", 200, version="2.0.0")
    memory = deviation("front", signal, 0.4, 0.9, doublings=3, unit="ratio", family="saturation")
    ledger = failing_front(old).health("front", memory).lines("front", line)
    keeps = EffectFact(kind="release", name="conn.close()", path="front/orders.py")

    first = judged(code(ledger, "2.0.0", diff("a", keeps).model_copy(update={"at": old.at}))).hypotheses[0]

    assert (first.change_id, first.confidence) == (old.id, confidence)


def test_lines_that_a_diff_explains_name_a_cause_where_no_signal_deviates() -> None:
    ledger = Ledger().health("front").graph("front", "cart").changes(GUILTY).health("cart").lines("front", MISSING)

    findings = judged(code(ledger, "2.0.0", diff("a", QUERIES)))

    assert [h.change_id for h in findings.hypotheses] == [GUILTY.id]


@pytest.mark.parametrize(
    ("callees", "calls_known", "suspected"),
    [((), True, True), (("cart",), True, False), (("cart",), False, True)],
    ids=["no neighbours known", "neighbours known", "neighbours known, and no calls of the changed one"],
)
def test_a_deploy_elsewhere_whose_diff_explains_the_lines_is_a_suspect_where_nobody_knows_who_rests_on_it(
    callees: tuple[str, ...], calls_known: bool, suspected: bool
) -> None:
    other, idle = change("store", 5, version="2.0.0"), change("mail", 2, version="7.0.0")
    errors = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")
    ledger = Ledger().health("front", errors).graph("front", *callees).changes(other, idle).lines("front", MISSING)
    ledger = ledger.health("store").graph("store") if calls_known else ledger.health("store")
    facts = EvidenceFacts(diffs=(diff("a", QUERIES).model_copy(update={"paths": ("db.py",)}),), version="2.0.0")

    findings = judged(ledger._add("code_changes", facts, source="github", service="store"))

    assert [h.change_id for h in findings.hypotheses if h.change_id] == ([other.id] if suspected else [])


def test_of_a_deploy_that_was_read_in_part_the_rest_stays_suspect() -> None:
    def likelihood(*diffs: DiffFact) -> float:
        findings = judged(code(failing_front(NEWER).lines("front", MISSING), "2.1.0", *diffs))
        return next(h.likelihood for h in findings.hypotheses if h.change_id == NEWER.id)

    unread = diff("d").model_copy(update={"partial": True})
    assert likelihood(diff("c")) < likelihood(diff("b"), diff("c"), unread) < likelihood(unread)


def test_a_deploy_whose_diff_surely_changes_something_goes_before_a_service_that_fails_for_no_known_reason() -> None:
    unsorted = EffectFact(kind="order", name="sort.Strings(skus)")

    first = judged(code(failing_front(NEWER).lines("front", MISSING), "2.1.0", diff("b"), diff("c", unsorted))).hypotheses[0]

    assert (first.change_id, first.commit, first.confidence) == (NEWER.id, "c" * 40, "possible")
    assert any("no longer puts in order (sort.Strings(skus))" in claim.text for claim in first.claims)


def test_words_of_the_alert_that_fit_what_a_diff_does_make_no_deploy_likely() -> None:
    larger = EffectFact(kind="batch", name="batch.size", before="16384", after="32768")
    case = CASE.model_copy(update={"summary": "front cannot append: TimeoutException on produce"})
    fires = EvidenceFacts(alerts=(AlertFact(name="ProduceErrors", service="front", starts_at=ONSET),))
    ledger = code(failing_front(NEWER), "2.1.0", diff("c", larger)).alerts(fires)

    findings = judge(rank(case, ledger.entries, now=NOW), ledger.entries, onset=ONSET)

    assert all(h.confidence != "likely" for h in findings.hypotheses)


def test_what_runs_short_minutes_after_a_deploy_of_the_same_service_is_not_its_likely_cause() -> None:
    full = deviation("front", "cpu", 30, 98, doublings=4, unit="%", family="saturation")

    def first(*changes: object) -> tuple[str, str]:
        slow = deviation("front", "latency", 0.2, 4, doublings=4, unit="s")
        ledger = Ledger().health("front", full, slow).graph("front", "cart").health("cart").changes(*changes)  # type: ignore[arg-type]
        one = judged(code(ledger, "2.1.0", diff("c"))).hypotheses[0]
        return one.kind, one.confidence

    assert first() == ("resource", "likely")
    assert first(NEWER) == ("resource", "possible")


def test_requests_that_rose_minutes_after_a_deploy_and_from_no_caller_are_not_the_likely_cause() -> None:
    rise = deviation("front", "requests", 44, 400, doublings=4, unit="/s", family="traffic")

    def confidence(*changes: object) -> str:
        slow = deviation("front", "latency", 0.2, 4, doublings=4, unit="s")
        ledger = Ledger().health("front", rise, slow).graph("front", "cart").health("cart").changes(*changes)  # type: ignore[arg-type]
        causes = judged(code(ledger, "2.1.0", diff("c"))).hypotheses
        return next(h.confidence for h in causes if h.kind == "traffic")

    assert confidence() == "likely"
    assert confidence(NEWER) == "possible"


def test_a_provider_is_named_by_the_host_whose_calls_fail_and_an_address_of_our_own_is_none() -> None:
    def first(line: str) -> str:
        template = TemplateFact(template=line, count=50, before=0, trend="new")
        return judged(failing_front().lines("front", template)).hypotheses[0].cause

    assert first("dial tcp: lookup pay.example.com on 10.0.0.10:53: i/o timeout").startswith("Names that front looks up")
    assert "files.example.com" in first("GET https://files.example.com/a answered 503 Service Unavailable")
    assert "example" not in first("GET http://cart.svc.example.local/a answered 503 Service Unavailable")


def version_rows(ledger: Ledger, service: str, signal: str, **rows: tuple[float | None, float | None]) -> Ledger:
    parts = tuple(
        BreakdownFact(labels={"version": name}, before=before, after=after, share=0.5, until=NOW, existed=before is not None)
        for name, (before, after) in rows.items()
    )
    return ledger._add("metric_breakdown", EvidenceFacts(breakdown=parts, unit="%"), service=service, signal=signal)


def test_a_new_version_is_compared_with_the_one_beside_it_and_not_with_zero() -> None:
    new = change("front", 2, version="v2")
    alone, alike, well = (
        observe(version_rows(failing_front(new), "front", "success rate", v1=(100.0, old), v2=(None, own)).entries)
        for old, own in ((98.0, 50.0), (52.0, 50.0), (60.0, 100.0))
    )

    assert [compare_versions(one, new).factor for one in (alone, alike, well)] == [1.35, 0.1, 1.0]


def test_a_few_more_errors_of_a_service_that_is_well_carry_no_version() -> None:
    new = change("cart", 2, version="v2")
    well = failing_front(new).health("cart", deviation("cart", "errors", 0.4, 0.43, doublings=-1, unit="%"))

    by_chance = observe(version_rows(well, "cart", "errors", v1=(0.0044, 0.0036), v2=(0.0041, 0.0054)).entries)
    a_canary = observe(version_rows(well, "cart", "errors", v1=(0.0044, 0.0036), v2=(0.0041, 0.41)).entries)

    assert compare_versions(by_chance, new).factor == 1.0
    assert compare_versions(a_canary, new).factor > 1.0


def test_versions_whose_errors_are_hardly_apart_are_not_told_apart_by_what_they_show_beyond_the_usual() -> None:
    new = change("cart", 2, version="v2")
    recovering = failing_front(new).health("cart", deviation("cart", "errors", 0.17, 0.18, doublings=0.4, unit="%"))

    alike = observe(version_rows(recovering, "cart", "errors", v1=(0.0017, 0.00172), v2=(None, 0.00188)).entries)

    far_apart = observe(version_rows(recovering, "cart", "errors", v1=(0.0017, 0.0017), v2=(None, 0.06)).entries)

    assert (compare_versions(alike, new).factor, compare_versions(alike, new).rows) == (1.0, ())
    assert compare_versions(far_apart, new).factor > 1.0


def test_a_version_that_serves_nothing_while_the_one_before_goes_on_is_silent() -> None:
    new = change("cart", 3, version="v2", previous="v1")
    silent = observe(version_rows(failing_front(new), "cart", "success rate", v1=(100.0, 100.0)).entries)
    serves = observe(version_rows(failing_front(new), "cart", "success rate", v1=(100.0, 100.0), v2=(None, 100.0)).entries)
    other_names = observe(version_rows(failing_front(new), "cart", "success rate", abc123=(100.0, 100.0)).entries)

    assert serving(silent, new, onset=ONSET, now=NOW).silent
    assert not serving(silent, new, onset=ONSET, now=new.at + timedelta(seconds=30)).silent
    assert not serving(serves, new, onset=ONSET, now=NOW).silent
    assert not serving(other_names, new, onset=ONSET, now=NOW).silent


def test_a_version_that_another_one_took_the_place_of_is_neither_silent_nor_taken_back() -> None:
    new, next_one = change("cart", 30, version="v2", previous="v1"), change("cart", 9, version="v3", previous="v2")
    rows = version_rows(failing_front(new, next_one), "cart", "success rate", v1=(100.0, None), v3=(None, 100.0)).entries

    seen = serving(observe(rows), new, onset=ONSET, now=NOW)

    assert not seen.silent and seen.withdrawn_at is None


def test_a_way_back_over_two_versions_puts_none_in_the_place_of_what_was_taken_back() -> None:
    old, new = change("cart", 60, version="v2", previous="v1"), change("cart", 40, version="v3", previous="v2")
    back = change("cart", 9, version="v1", previous="v3")
    rows = version_rows(failing_front(old, new, back), "cart", "success rate", v1=(100.0, 100.0), v2=(100.0, None)).entries

    assert serving(observe(rows), new, onset=ONSET, now=NOW).silent


@pytest.mark.parametrize(("last_call", "suspected"), [(ONSET - minutes(8), False), (ONSET + minutes(1), True)])
def test_a_version_that_was_taken_back_before_the_onset_is_ruled_out(last_call: datetime, suspected: bool) -> None:
    old = change("front", 20, version="v2", previous="v1")
    parts = (
        BreakdownFact(labels={"version": "v1"}, before=0.0, after=0.3, share=1.0, until=NOW, existed=True),
        BreakdownFact(labels={"version": "v2"}, before=0.4, after=None, share=0.0, until=last_call, existed=True),
    )
    split = EvidenceFacts(breakdown=parts, unit="ratio")
    findings = judged(failing_front(old)._add("metric_breakdown", split, service="front", signal="errors"))

    assert any(one.change_id == old.id for one in findings.hypotheses) == suspected
    assert any("serves nothing since" in claim.text for claim in findings.ruled_out) != suspected
    assert {claim.subject for claim in findings.ruled_out} == (set() if suspected else {"deploy v2 of front"})


def test_a_change_of_a_neighbour_that_looks_normal_is_a_candidate() -> None:
    quiet = change("cart", 1, version="4.0.0")

    findings = judged(failing_front(quiet))

    named = next(h for h in findings.hypotheses if h.change_id == quiet.id)
    assert named.confidence != "likely"


PROMO = DiffFact(commit="e" * 40, at=ONSET - minutes(60), paths=("front/pages.py",), added=("render_promo_banner",))
FRONT_DEPLOY = change("front", 3, version="2.0.0")


def typed_by_users(text: str) -> Ledger:
    """Payments fails and the front calls it; the front was deployed, and somebody typed a name of its diff 40 times."""
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, unit="ratio")).graph("front", "payments")
    ledger.changes(FRONT_DEPLOY).health("payments", deviation("payments", "errors", 0.001, 0.45, doublings=6, unit="ratio"))
    ledger.graph("payments", callers=["front"]).lines("front", TemplateFact(template=text, count=40, before=0, trend="new"))
    return code(ledger, "2.0.0", PROMO)


@pytest.mark.parametrize(
    "text",
    [
        'GET "/?q=render_promo_banner" 200',
        '10.0.0.1 - "GET /render_promo_banner HTTP/1.1" 404 error "render_promo_banner"',
        "searching for render_promo_banner",
        "error: no such search: render_promo_banner",
        'ERROR search failed for term "render_promo_banner": timed out',
        "ERROR search failed for render_promo_banner",
        "failed to find user render_promo_banner: not found",
        "error: invalid display name: render_promo_banner is not defined",
        'level=error msg="lookup failed" q=render_promo_banner',
        "ERROR search failed for column render_promo_banner does not exist",
        'ERROR search failed for ERROR: relation "render_promo_banner" does not exist at character 8',
        "lookup failed: no results for column total of relation render_promo_banner does not exist",
        "search failed for TypeError in render_promo_banner",
    ],
)
def test_a_name_that_users_typed_into_requests_explains_no_change(text: str) -> None:
    ledger = typed_by_users(text)

    assert not Measured(ledger.entries, ONSET).code_of(FRONT_DEPLOY).explains
    assert not Measured(ledger.entries, ONSET).carries(FRONT_DEPLOY)
    assert all(h.confidence != "likely" for h in judged(ledger).hypotheses if h.change_id)


def test_a_callee_that_explains_the_failure_goes_before_code_that_matches_a_line_of_the_caller() -> None:
    ledger = typed_by_users("TypeError in render_promo_banner")

    assert Measured(ledger.entries, ONSET).code_of(FRONT_DEPLOY).explains
    assert not Measured(ledger.entries, ONSET).carries(FRONT_DEPLOY)
    assert all(h.confidence != "likely" for h in judged(ledger).hypotheses if h.change_id)


@pytest.mark.parametrize(
    "text",
    [
        "TypeError in render_promo_banner",
        "could not load pages: pq: column render_promo_banner does not exist",
        'query failed with ERROR: relation "render_promo_banner" does not exist',
        "search failed: no mapping found for field [render_promo_banner]",
    ],
)
def test_a_failure_that_names_what_a_deploy_added_explains_it(text: str) -> None:
    line = TemplateFact(template=text, count=40, before=0, trend="new")
    reading = Measured(code(failing_front(NEWER).lines("front", line), "2.1.0", PROMO).entries, ONSET).code_of(NEWER)

    assert reading.explains


@pytest.mark.parametrize(
    ("commits", "partial", "unseen"),
    [(("c" * 40, "d" * 40), False, ()), (("c" * 40,), True, ()), (("c" * 40,), False, ("could not check 1 diff",))],
    ids=["beyond the limit", "cut", "failed"],
)
def test_code_of_which_a_part_was_not_read_is_never_unrelated(
    commits: tuple[str, ...], partial: bool, unseen: tuple[str, ...]
) -> None:
    facts = EvidenceFacts(diffs=(diff("c").model_copy(update={"partial": partial}),), version="2.1.0", commits=commits)
    ledger = failing_front(NEWER).lines("front", MISSING)._add("code_changes", facts, source="github", service="front")
    last = ledger.entries[-1]
    evidence = last.evidence.model_copy(update={"unseen": unseen})
    whole = [*ledger.entries[:-1], last.model_copy(update={"evidence": evidence})]

    reading = Measured(whole, ONSET).code_of(NEWER)

    assert not reading.unrelated and not reading.read


def test_a_service_that_ran_full_is_not_handed_to_the_deploy_of_a_caller_that_only_alerts() -> None:
    ledger = Ledger().health(
        "cart",
        deviation("cart", "errors", 0.004, 0.45, doublings=6, unit="ratio"),
        deviation("cart", "restarts", 0.0, 6.0, doublings=6, unit="restarts", family="saturation"),
        deviation("cart", "memory", 0.72, 0.98, doublings=1.8, unit="ratio", family="saturation"),
    )
    ledger = ledger._add("dependencies", EvidenceFacts(depends_on=("db",), dependents=("front",)), service="cart").health("db")
    alert = AlertFact(name="ErrorBudgetBurn", service="front", starts_at=ONSET + minutes(1))
    ledger = ledger.changes(change("front", 1, version="2.0.0")).alerts(EvidenceFacts(alerts=(alert,)))
    case = CASE.model_copy(update={"service": "cart"})
    first = rank(case, ledger.entries, now=NOW).hypotheses[0]

    assert (first.service, first.kind, first.change_id) == ("cart", "resource", "")


def test_what_an_approved_action_did_is_neither_a_suspect_nor_ruled_out() -> None:
    own = change("front", 0.2, version="2.0.0", previous="2.1.0").model_copy(update={"by_action": "AP-1"})

    findings = judged(failing_front(own))

    assert own.id not in {h.change_id for h in findings.hypotheses} | {claim.change_id for claim in findings.ruled_out}
    assert judged(failing_front(own.model_copy(update={"by_action": ""}))).hypotheses[0].change_id == own.id


def failing_lines_first(seconds_before: float, *, count: int = 40) -> Findings:
    deploy = change("front", 0, version="2.1.0")
    first = deploy.at - timedelta(seconds=seconds_before)
    line = TemplateFact(template="amount mismatch", count=count, before=0, trend="new", first=first)
    return judged(failing_front(deploy).lines("front", line))


def test_lines_that_failed_before_a_change_speak_against_it() -> None:
    before, after = failing_lines_first(25), failing_lines_first(-5)

    assert after.hypotheses[0].change_id and after.hypotheses[0].likelihood > before.hypotheses[0].likelihood
    against = [claim.text for h in before.hypotheses if h.change_id for claim in h.against]
    assert any("front has logged amount mismatch since 11:59:35 UTC, before the change" in text for text in against)


def test_a_line_or_two_of_before_say_nothing() -> None:
    assert failing_lines_first(25, count=2) == failing_lines_first(-5, count=2)


def test_a_host_that_a_field_of_the_lines_names_is_the_provider_that_fails() -> None:
    line = message_of('{"msg": "acquirer answered 503", "net.peer.name": "api.acquirer.example"}')

    answers = failing_front(NEWER).lines("front", TemplateFact(template=line, count=50, before=0, trend="new"))

    assert "api.acquirer.example, which front calls, fails" in judged(answers).hypotheses[0].cause


def typed(minutes_after: float, *, service: str = "front") -> Findings:
    first = ONSET + timedelta(minutes=minutes_after)
    flush = TemplateFact(template="1842116 keys removed (flushall) user=ops", count=1, before=0, trend="new", first=first)
    return judged(failing_front(NEWER).lines(service, flush))


def test_a_command_that_somebody_typed_as_it_began_goes_before_a_deploy_and_one_of_long_before_is_a_lead() -> None:
    as_it_began, before = typed(0.5).hypotheses, typed(-4).hypotheses

    assert as_it_began[0].cause == "Somebody changed front by hand"
    assert as_it_began[0].likelihood > next(h.likelihood for h in before if "by hand" in h.cause)


def test_the_names_of_packages_are_no_hosts() -> None:
    line = "System.Net.Http.HttpRequestException: 503 (Service Unavailable) at java.io.InputStream"

    causes = [
        h.cause for h in judged(failing_front().lines("front", TemplateFact(template=line, count=9, before=0))).hypotheses
    ]
    assert not any("system.net" in cause or "java.io" in cause for cause in causes)


def test_a_flag_is_not_likely_where_something_was_changed_of_which_nobody_knows_whether_it_matters() -> None:
    def confidence(*changes: Change) -> str:
        lines = TemplateFact(template="too many work orders", count=9, before=0, trend="new")
        ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
        return judged(ledger.graph("front").changes(*changes).lines("front", lines)).hypotheses[0].confidence

    flag = change("front", 2, kind="flag")
    assert confidence(flag) == "likely"
    assert confidence(flag, change("evaluator", 6, version="2.0.0")) == "possible"


def test_what_moved_with_a_change_counts_less_where_something_had_moved_with_another_before() -> None:
    cache = deviation("profile", "cache_hit_ratio", 0.96, 0.07, doublings=5, late=-20, family="saturation")
    errors = deviation("profile", "errors", 0.002, 0.4, doublings=6, late=-1, unit="ratio")
    later = deviation("loadout", "errors", 0.002, 0.4, doublings=6, late=-1, unit="ratio")
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.4, doublings=6, unit="ratio"))
    ledger.graph("front", "loadout").health("loadout", later).graph("loadout", "profile").health("profile", cache, errors)
    ledger.changes(change("profile", 20.2, version="2.0.0"), change("loadout", 2, version="3.0.0"))

    named = {h.service: h.likelihood for h in judged(ledger).hypotheses if h.change_id}
    assert named["profile"] > named.get("loadout", 0.0)


def test_names_that_are_not_resolved_are_no_sure_cause_outside_where_the_resolver_was_changed_and_that_shows() -> None:
    line = TemplateFact(template="lookup db.rates.example on 10.0.0.10:53: i/o timeout", count=40, before=0, trend="new")
    dns = change("cluster-dns", 40, version="2.0.0")
    jump = JumpFact(
        change_id=dns.id, service="cluster-dns", signal="queries_forwarded", before=210, after=3000, unit="/s", scales=40.0
    )
    ledger = failing_front(dns).lines("front", line)

    untouched = judged(failing_front(change("cart", 40, version="2.0.0")).lines("front", line)).hypotheses[0]
    changed = judged(ledger._add("change_jumps", EvidenceFacts(jumps=(jump,)), service="cluster-dns")).hypotheses[0]
    assert "not resolved" in untouched.cause
    assert changed.change_id == dns.id


def test_a_diff_about_days_is_a_better_lead_where_it_began_with_a_day() -> None:
    days = diff("a", EffectFact(kind="clock", name="YYYY-MM-dd")).model_copy(update={"at": ONSET - timedelta(days=1)})
    refused = TemplateFact(template="refused since day 2026-03-01 is unknown", count=40, before=0, trend="new")

    def strength(began: datetime) -> float:
        errors = replace(deviation("front", "errors", 0.002, 0.9, doublings=6, unit="ratio"), onset=began)
        deploy = change("front", 0, version="2.0.0").model_copy(update={"at": began - timedelta(hours=2)})
        ledger = Ledger().health("front", errors).graph("front").changes(deploy)
        case = CASE.model_copy(update={"started_at": began + timedelta(minutes=1)})
        entries = code(ledger, "2.0.0", days).lines("front", refused).entries
        observed = observe(entries)
        context = ranking_context(case, observed, began + timedelta(minutes=3))
        explanation = read_code(context, deploy, symptoms_of(observed)).explanation
        return explanation.firm if explanation else 0.0

    midnight = ONSET.replace(hour=0)
    assert strength(midnight + timedelta(seconds=30)) > strength(midnight + timedelta(hours=5)) > 0


def test_more_requests_of_a_mesh_that_tries_again_are_the_mesh_s() -> None:
    rise = deviation("front", "requests_per_sec", 100, 500, doublings=6, family="traffic", unit="/s")
    errors = deviation("front", "errors", 0.002, 0.7, doublings=6, unit="ratio")
    attempts = EffectFact(kind="retry", name="attempts", before="1", after="5")
    retried = EffectFact(kind="retry", name="retryOn", before="connect-failure", after="5xx,reset")
    retries = diff("a", attempts, retried).model_copy(update={"paths": ("mesh/default-route-policy.yaml",)})
    mesh = change("mesh-config", 28, version="2.0.0")
    ledger = Ledger().health("front", errors, rise).graph("front").changes(mesh)
    facts = EvidenceFacts(diffs=(retries,), version="2.0.0")

    first = judged(ledger._add("code_changes", facts, source="github", service="mesh-config")).hypotheses[0]
    assert first.change_id == mesh.id


def test_a_voucher_that_is_called_a_certificate_leaves_doubts() -> None:
    def likelihood(template: str) -> float:
        line = TemplateFact(template=template, count=1, before=0, trend="new")
        causes = judged(failing_front(NEWER).lines("front", line)).hypotheses
        return next(h.likelihood for h in causes if "certificate" in h.cause)

    assert likelihood("gift certificate has expired") < likelihood("tls: x509: certificate has expired")


def by_hand(line: str) -> list[str]:
    """How sure it is that somebody changed something by hand, where a line comes with the failure."""
    text = TemplateFact(template=line, count=1, before=0, trend="new", first=ONSET)
    causes = judged(failing_front(NEWER).lines("front", text)).hypotheses
    return [cause.confidence for cause in causes if "by hand" in cause.cause]


@pytest.mark.parametrize("line", ["search: no entry 'flushall' user=ops", "GET /q?x=flushall HTTP/1.1"])
def test_a_command_in_what_a_request_holds_is_none(line: str) -> None:
    assert by_hand(line) == []


def test_a_command_that_failed_is_only_a_lead_and_one_that_ran_is_likely() -> None:
    assert by_hand("ERROR invalid name: flushall") == ["possible"]
    assert by_hand("redis: FLUSHALL by ops") == ["likely"]


def test_a_resolver_of_queries_resolves_no_names() -> None:
    line = TemplateFact(template="lookup db.rates.example on 10.0.0.10:53: i/o timeout", count=40, before=0, trend="new")
    explains = diff("a", QUERIES).model_copy(update={"paths": ("front/resolvers/orders.ts",)})

    both = code(failing_front(NEWER).lines("front", line, MISSING), "2.1.0", explains)
    unresolved = next(h for h in judged(both).hypotheses if "not resolved" in h.cause)
    dns = code(
        failing_front(NEWER).lines("front", line, MISSING), "2.1.0", explains.model_copy(update={"paths": ("dns/a.ts",)})
    )
    beside = next((h.likelihood for h in judged(dns).hypotheses if "not resolved" in h.cause), 0.0)

    assert unresolved.likelihood > beside


def test_rules_of_the_network_may_be_why_names_are_not_resolved() -> None:
    line = TemplateFact(template="lookup db.rates.example on 10.0.0.10:53: i/o timeout", count=40, before=0, trend="new")

    def likelihood(before: str) -> float:
        rule = EffectFact(kind="address", name="NetworkPolicy", before=before, after="what it names", path="egress.yaml")
        ledger = code(failing_front(NEWER).lines("front", line), "2.1.0", diff("a", rule))
        return next((h.likelihood for h in judged(ledger).hypotheses if "not resolved" in h.cause), 0.0)

    assert likelihood("what was allowed") < likelihood("another rule")


def test_a_provider_whose_calls_hardly_fail_explains_less_than_one_of_which_all_do() -> None:
    def likelihood(after: float) -> float:
        calls = deviation("payments", "provider errors", 0.001, after, doublings=6, unit="ratio")
        causes = judged(failing_payments().health("payments", calls)).hypotheses
        return max((h.likelihood for h in causes if "outside provider" in h.cause), default=0.0)

    assert likelihood(0.01) < 0.5 < likelihood(0.9)
