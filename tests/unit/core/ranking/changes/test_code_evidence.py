"""Which change of several a commit belongs to, and what beside its words shows that it did it."""

from dataclasses import replace

import pytest

from bot.core.change import Change
from bot.core.evidence import Findings
from bot.core.facts.code import DiffFact, EffectFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import JumpFact
from bot.core.facts.recorded import TemplateFact
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, minutes

MISSING = TemplateFact(template='relation "order_notes" does not exist', count=40, before=0, trend="new")
QUERIES = EffectFact(kind="query", name="order_notes", path="db.py")
FRONT, JOBS = change("front", 3, version="2.0.0"), change("jobs", 2, version="7.0.0")


def commit(sha: str, path: str, *effects: EffectFact, minutes_before: float = 60) -> DiffFact:
    return DiffFact(commit=sha * 40, at=ONSET - minutes(minutes_before), paths=(path,), effects=effects)


def failing(*changes: Change, line: TemplateFact = MISSING) -> Ledger:
    errors = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")
    return Ledger().health("front", errors).graph("front", "cart").health("cart").changes(*changes).lines("front", line)


def read(ledger: Ledger, service: str, version: str, *diffs: DiffFact) -> Ledger:
    return ledger._add("code_changes", EvidenceFacts(diffs=diffs, version=version), source="github", service=service)


def answered(ledger: Ledger) -> Findings:
    return rank(CASE, ledger.entries, now=NOW)


def blamed(*, path: str) -> str:
    """The change that is blamed for a commit that went out with `jobs` and that the earlier deploy of `front` holds as well."""
    guilty, own = commit("a", path, QUERIES), commit("b", "front/style.py", minutes_before=50)
    ledger = read(read(failing(FRONT, JOBS), "front", "2.0.0", own, guilty), "jobs", "7.0.0", guilty)
    return answered(ledger).hypotheses[0].change_id


def test_a_commit_belongs_to_the_deploy_that_was_made_for_it_and_a_library_to_what_holds_it() -> None:
    assert blamed(path="migrations/V7.sql") == JOBS.id
    assert blamed(path="libs/db/queries.py") == FRONT.id
    assert blamed(path="infra/modules/db/queries.tf") == JOBS.id


def test_a_resource_that_is_used_a_little_more_tells_of_no_limit() -> None:
    def claims(after: float) -> str:
        larger = EffectFact(kind="limit", name="max_inflight", before="20", after="100", path="front.conf")
        used = deviation("front", "memory_mb", 210, after, doublings=4, family="saturation")
        ledger = failing(FRONT, line=TemplateFact(template="ready", count=4, before=4)).health("front", used)
        causes = answered(read(ledger, "front", "2.0.0", commit("a", "front.conf", larger))).hypotheses
        return " ".join(claim.text for cause in causes for claim in cause.claims)

    assert "fits memory" in claims(900) and "fits memory" not in claims(240)


def test_the_commit_that_a_deploy_was_made_for_is_its_own_whatever_folder_it_lies_in() -> None:
    ledger = read(failing(JOBS), "jobs", "7.0.0", commit("a", "front/migrations/V7.sql", QUERIES))

    assert answered(ledger).hypotheses[0].change_id == JOBS.id


def test_another_part_s_commit_that_only_may_matter_is_not_named_in_place_of_the_deploy_s_own() -> None:
    def named(path: str) -> str:
        stricter = EffectFact(kind="timeout", name="read_timeout", before="30s", after="2s", path=path)
        own, other = commit("b", "front/orders.py", minutes_before=5), commit("a", path, stricter)
        ledger = read(failing(FRONT, line=TemplateFact(template="ready", count=4, before=4)), "front", "2.0.0", other, own)
        first = answered(ledger).hypotheses[0]
        assert first.change_id == FRONT.id
        return first.commit

    assert named("charts/edge/values.yaml") == ""
    assert named("front/values.yaml") == "a" * 40


@pytest.mark.parametrize(
    ("line", "leads"),
    [
        ("item of 2.41.0 has no price", True),
        ("reply of front (2.41.0) cannot be parsed", True),
        ("rolled out front 2.41.0", False),
    ],
)
def test_a_version_that_the_lines_of_another_service_name_is_a_lead_unless_they_tell_of_its_roll_out(
    line: str, leads: bool
) -> None:
    deploy = change("front", 3, version="2.41.0")
    ledger = failing(deploy, line=TemplateFact(template="price missing", count=40, before=0, trend="new"))
    ledger.lines("cart", TemplateFact(template=line, count=40, before=0, trend="new"))

    first = answered(read(ledger, "front", "2.41.0", commit("a", "front/a.py"))).hypotheses[0]

    assert any("went out as 2.41.0" in claim.text for claim in first.claims) is leads


def test_a_commit_of_a_later_deploy_of_the_service_did_not_go_out_with_the_one_before() -> None:
    before, guilty = change("front", 20, version="1.9.0"), commit("a", "libs/db/queries.py", QUERIES, minutes_before=70)
    ledger = read(read(failing(before, FRONT), "front", "1.9.0", commit("b", "front/a.py"), guilty), "front", "2.0.0", guilty)

    named = [h.change_id for h in answered(ledger).hypotheses if any("queries order_notes" in c.text for c in h.claims)]

    assert named == [FRONT.id]


def test_a_commit_that_several_services_hold_and_none_was_made_for_makes_none_of_them_likely() -> None:
    nightly = EffectFact(kind="schedule", name="schedule", before="40 3 * * *", after=f"{ONSET:%M %H} * * *")
    guilty = commit("a", "deploy/jobs/statements.yaml", nightly)
    front, mail = change("front", 40, version="2.0.0"), change("mail", 45, version="7.0.0")
    ledger = read(failing(front, mail), "front", "2.0.0", commit("b", "front/a.py", minutes_before=50), guilty)
    ledger = read(ledger, "mail", "7.0.0", commit("c", "mail/a.py", minutes_before=50), guilty)

    causes = answered(ledger).hypotheses

    assert causes[0].commit == "a" * 40 and "as it began" in " ".join(claim.text for claim in causes[0].claims)
    assert all(cause.confidence != "likely" for cause in causes if cause.change_id)


@pytest.mark.parametrize(("minutes_before", "explains"), [(5, True), (18, False)])
def test_another_schema_has_been_met_by_every_query_after_ten_minutes(minutes_before: float, explains: bool) -> None:
    column = EffectFact(kind="schema", name="reviews", path="front/V1.sql")
    slow = TemplateFact(template="list failed: canceling statement due to statement timeout", count=40, before=0, trend="new")
    deploy = change("front", minutes_before, version="2.0.0")

    first = answered(read(failing(deploy, line=slow), "front", "2.0.0", commit("a", "front/V1.sql", column))).hypotheses[0]

    assert any("changes the schema of reviews" in claim.text for claim in first.claims) is explains


def with_hits(*, late: float) -> str:
    """How sure a deploy of a caller is that builds keys otherwise, where its hits began to fall so long after the onset."""
    deploy = change("edge", 6, version="2.0.0")
    keys = EffectFact(kind="cache_key", name="key.go", path="edge/key.go")
    hits = replace(deviation("edge", "cache_hit_ratio", 0.95, 0.2, doublings=5, unit="ratio", late=late), direction="down")
    ledger = failing(deploy, line=TemplateFact(template="queue full, shedding", count=40, before=0, trend="new"))
    # It ran full: nothing of its failure is handed to who was changed beside it.
    ledger.graph("edge", "front").health("edge", hits).health(
        "front", deviation("front", "cpu_pct", 20, 99, doublings=4, unit="%")
    )
    first = answered(read(ledger, "edge", "2.0.0", commit("a", "edge/key.go", keys))).hypotheses[0]
    return first.confidence if first.change_id == deploy.id else ""


def test_a_deploy_of_a_caller_is_likely_where_what_its_diff_does_is_seen_at_work_there_since() -> None:
    assert with_hits(late=-5.5) == "likely"
    assert with_hits(late=-30) != "likely"


@pytest.mark.parametrize(("service", "confidence"), [("cluster-policies", "possible"), ("newsletter", "likely")])
def test_names_that_are_not_resolved_are_a_lead_where_the_rules_of_the_network_changed_minutes_before(
    service: str, confidence: str
) -> None:
    unresolved = TemplateFact(template="fetch failed: getaddrinfo EAI_AGAIN docs.example.org", count=50, before=0, trend="new")
    ledger = failing(change(service, 1, version="1.0.0"), change("shop", 8, kind="flag"), line=unresolved)

    first = answered(read(ledger, service, "1.0.0", commit("a", "prod/tools.yaml"))).hypotheses[0]

    assert (first.kind, first.confidence) == ("external", confidence)


def test_beside_a_diff_that_surely_explains_the_lines_the_moment_of_a_flag_says_nothing() -> None:
    flag = change("front", 5, kind="flag").model_copy(update={"title": "order_notes_export off->on"})
    jump = JumpFact(change_id=flag.id, service="front", signal="exports", before=1, after=9, scales=20)
    ledger = read(failing(FRONT, flag), "front", "2.0.0", commit("a", "front/db.py", QUERIES))
    first = answered(ledger._add("change_jumps", EvidenceFacts(jumps=(jump,)), service="front")).hypotheses[0]

    assert (first.change_id, first.confidence) == (FRONT.id, "likely")


@pytest.mark.parametrize(("named", "suspected"), [("rollover", True), ("importer", False)])
def test_a_changed_service_that_new_lines_name_is_near(named: str, suspected: bool) -> None:
    text = f'relation "order_notes" does not exist, application_name={named}'
    job = change("rollover", 9, version="1.0.0")
    ledger = (
        failing(job, line=TemplateFact(template=text, count=40, before=0, trend="new")).health("rollover").graph("rollover")
    )

    causes = answered(read(ledger, "rollover", "1.0.0", commit("a", "rollover/job.py", QUERIES))).hypotheses

    assert (job.id in [h.change_id for h in causes]) is suspected


def test_a_commit_in_a_folder_beside_the_service_s_own_is_another_component_s() -> None:
    own = commit("b", "front/style.py", minutes_before=50)

    def named(path: str) -> bool:
        ledger = read(failing(FRONT), "front", "2.0.0", own, commit("a", path, QUERIES))
        return any("queries order_notes" in claim.text for cause in answered(ledger).hypotheses for claim in cause.claims)

    assert not named("address_sync/main.py")
    assert all(map(named, ("front/db.py", "alembic/versions/0042.py", "models/order.py", "libs/db/main.py", "main.py")))


def test_a_record_that_nobody_can_process_comes_after_the_change_that_puts_the_refused_value_there() -> None:
    refused = 'message will be redelivered: InvalidFormatException: from String "ON_HOLD_QA": not one of the values accepted'
    line = TemplateFact(template=refused, count=40, before=0, trend="new")
    brings = DiffFact(commit="a" * 40, at=ONSET - minutes(60), paths=("cart/mapper.py",), literals=("ON_HOLD_QA",))
    cart = change("cart", 3, version="4.0.0")

    first, second = answered(read(failing(cart, line=line), "cart", "4.0.0", brings)).hypotheses[:2]

    assert (first.change_id, first.confidence) == (cart.id, "possible") and "comes again and again" in second.cause


@pytest.mark.parametrize(("effects", "confidence"), [((), "possible"), ((QUERIES,), "likely")])
def test_that_a_failure_arises_in_what_was_changed_makes_a_change_likely_only_with_a_second_sign(
    effects: tuple[EffectFact, ...], confidence: str
) -> None:
    text = 'relation "order_notes" does not exist (File "/app/front/orders.py", line 37, in last_orders)'
    line = TemplateFact(template=text, count=40, before=0, trend="new")
    guilty = commit("a", "front/orders.py", *effects)

    first = answered(read(failing(FRONT, line=line), "front", "2.0.0", guilty)).hypotheses[0]

    assert (first.change_id, first.confidence) == (FRONT.id, confidence)
    assert any("where the failure arises" in claim.text for claim in first.claims) or effects


@pytest.mark.parametrize(("minutes_before", "confidence"), [(4, "likely"), (14, "possible")])
def test_what_would_show_at_once_and_ran_well_for_long_before_is_only_possible(minutes_before: float, confidence: str) -> None:
    deploy = change("front", minutes_before, version="2.0.0")
    keys = EffectFact(kind="cache_key", name="key.go", path="front/key.go")
    misses = deviation("front", "cache_hit_ratio", 0.95, 0.2, doublings=5, unit="ratio")
    ledger = failing(deploy, line=TemplateFact(template="queue full, shedding", count=40, before=0, trend="new"))
    ledger.health("front", replace(misses, direction="down"))

    first = answered(read(ledger, "front", "2.0.0", commit("a", "front/key.go", keys))).hypotheses[0]

    assert (first.change_id, first.confidence) == (deploy.id, confidence)


def likelihood_of_locks(service: str, path: str) -> float:
    """Of a change of what all services rest on, or seem to, and which says nothing itself."""
    locks = EffectFact(kind="lock", name="orders", path=path)
    mesh = change(service, 3, version="2.0.0")
    line = TemplateFact(template="ERROR: deadlock detected", count=40, before=0, trend="new")
    ledger = read(failing(mesh, line=line), service, "2.0.0", commit("a", path, locks))
    return max((h.likelihood for h in answered(ledger).hypotheses if h.change_id == mesh.id), default=0.0)


def test_what_all_services_rest_on_is_told_by_any_of_them_and_code_that_is_only_called_so_is_not() -> None:
    mesh, code = (likelihood_of_locks("insurer", path) for path in ("mesh/default-policy.yaml", "policies/discount_policy.py"))

    assert mesh > code


def test_a_version_that_another_services_new_lines_name_is_suspect_and_not_by_that_alone_likely() -> None:
    line = TemplateFact(template="tax differs: ours=2063 filed=2062 calc=4.18.0", count=40, before=0, trend="new")
    deploys = (change("tax", 12, version="4.18.0"), change("front", 4, version="1.23.0"))

    def of_tax(*changes: Change, usual: str = "ready") -> str:
        tidied = EffectFact(kind="call", name="perLine", path="tax/calc.go")
        ledger = failing(*changes, line=line).lines("front", TemplateFact(template=usual, count=40, before=40))
        read(ledger, "tax", "4.18.0", commit("a", "tax/calc.go", tidied))
        return next((cause.confidence for cause in answered(ledger).hypotheses if cause.service == "tax"), "")

    assert of_tax(*deploys) == "possible"
    assert not of_tax(*deploys, usual="order placed, calc=4.18.0"), "all lines name it"
    assert not of_tax(*deploys, change("billing", 12, version="4.18.0")), "two services have that version"
