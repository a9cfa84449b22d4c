"""The figures of the webhooks set: which source a payload goes to, what of a stored alert is scored, and how."""

from tests.evaluation.webhooks import answer_of, own_kinds, score

LABEL = {"title_any": ["Disk full"], "severity_any": ["high", "P2"], "status_any": ["firing"], "entity_any": None}


def test_a_payload_goes_to_the_source_that_is_named_like_its_vendor_else_to_generic() -> None:
    kinds = own_kinds({"Datadog/a": {}, "nobody/b": {}, "github/c": {}})

    assert kinds == {"Datadog/a": "datadog", "nobody/b": "generic", "github/c": "generic"}


def test_the_entity_is_the_service_else_what_else_the_labels_name() -> None:
    row = {"name": "Disk full", "status": "firing", "service": "", "labels": {"host": "db-1", "severity": "P2"}}

    assert answer_of(row) == {"title": "Disk full", "severity": "P2", "status": "firing", "entity": "db-1"}
    assert answer_of({**row, "service": "db"})["entity"] == "db"


def test_a_field_without_a_label_is_not_scored_and_a_missing_answer_is_wrong() -> None:
    answers = {"a": {"title": "Disk full on db-1", "severity": "p2", "status": "firing", "entity": ""}}

    assert score({"a": LABEL, "b": LABEL}, answers) == {
        "title": "1/2", "severity": "1/2", "status": "1/2", "entity": "0/0", "all": "1/2",
    }  # fmt: skip
