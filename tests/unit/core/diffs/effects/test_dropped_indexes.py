"""Indexes that a diff drops, and statements that needed them."""

import pytest

from bot.core.diffs.explanation import explain
from bot.core.diffs.symptoms.symptoms import Symptoms, SymptomText
from bot.core.facts.code import EffectFact
from bot.core.tuning import TUNING
from tests.unit.core.diffs.test_explanation import diff_of

RAILS = diff_of(
    "db/migrate/20260211_drop_unused_indexes.rb",
    '+    remove_index :rooms, name: "index_rooms_on_code"',
    '+    remove_index :appointments, name: "index_appointments_on_clinic_and_due",',
    "+                 column: [:clinic_id, :reminder_due_on]",
)
SLOW = 'duration: 15831 ms execute a14: SELECT * FROM "appointments" WHERE "clinic_id" = $1 AND "reminder_due_on" = $2'


def indexes(path: str, *lines: str) -> list[tuple[str, str]]:
    return [(effect.name, effect.before) for effect in diff_of(path, *lines).effects if effect.kind == "index"]


@pytest.mark.parametrize(
    ("path", "lines", "found"),
    [
        ("migrations/7.sql", ["+DROP INDEX CONCURRENTLY IF EXISTS orders_by_day;"], [("orders_by_day", "")]),
        (
            "app/migrations/0087_unique.py",
            [
                "+        RemoveIndexConcurrently(",
                '+            model_name="hold",',
                '+            name="hold_state_idx",',
                "+        ),",
            ],
            [("hold_state_idx", "")],
        ),
        (
            "versions/1.py",
            ['-    op.create_index("ix_a", "t", ["customer_ref"])', '+    op.drop_index("ix_a", table_name="t")'],
            [("ix_a", "")],
        ),
        ("migrations/8.sql", ["+DROP INDEX by_day;", "+CREATE INDEX by_day ON orders (day, shop);"], []),
    ],
)
def test_it_is_found_in_sql_and_in_the_words_of_frameworks(path: str, lines: list[str], found: list[tuple[str, str]]) -> None:
    assert indexes(path, *lines) == found


def test_its_columns_are_those_of_its_own_call() -> None:
    assert [(effect.name, effect.before) for effect in RAILS.effects if effect.kind == "index"] == [
        ("index_rooms_on_code", ""),
        ("index_appointments_on_clinic_and_due", "clinic_id, reminder_due_on"),
    ]


def test_a_slow_statement_that_looks_for_its_columns_is_explained_and_another_is_not() -> None:
    other, typed = (
        SLOW.replace("reminder_due_on", "patient_name"),
        SLOW.replace("duration: 15831 ms execute a14", "searched for"),
    )
    strengths = [
        explain(RAILS, Symptoms([SymptomText(text, "E1", "db", log=True)]), service="core").firm
        for text in (SLOW, other, typed)
    ]

    assert strengths[0] >= TUNING.diffs.explained > max(strengths[1:])


def test_it_reads_as_what_it_is() -> None:
    (reason,) = explain(RAILS, Symptoms([SymptomText(SLOW, "E1", "db")])).reasons[:1]
    (effect,) = [effect for effect in RAILS.effects if isinstance(effect, EffectFact) and effect.before]

    assert reason[1] == f"drops the index {effect.name}, and new lines hold a statement that needs it"


@pytest.mark.parametrize(
    ("path", "found"), [("db/structure.sql", [("notes_by_ref", "customer_ref")]), ("db/V1__first.sql", [])]
)
def test_an_index_that_the_dump_of_a_schema_no_longer_holds_is_dropped(path: str, found: list[tuple[str, str]]) -> None:
    gone = "-CREATE INDEX notes_by_ref ON public.notes USING btree (customer_ref);"

    assert indexes(path, gone) == found
    assert not indexes(path, gone, "+CREATE INDEX notes_by_ref ON public.notes USING hash (customer_ref);")
