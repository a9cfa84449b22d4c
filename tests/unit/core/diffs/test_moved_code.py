"""What is only put elsewhere, and what looks like it because a feature goes on using the names that it had."""

import pytest

from bot.core.diffs.moved_code import is_moved
from bot.core.diffs.summary import summarize_diff
from bot.core.systems import Commit, FileChange
from tests.unit.builders import NOW

EXTRACTED = (
    ["lines = [row.text for row in order.rows]", "return slip(order.id, lines)"],
    [
        "return slip(order.id, lines_of(order))",
        "def lines_of(order: Order) -> list[str]:",
        "    lines = [row.text for row in order.rows]",
        "    return lines",
    ],
)
USES_MORE = (
    ["lines = [row.text for row in order.rows]", "return slip(order.id, lines)"],
    [
        "lines = [row.text for row in order.rows]",
        "note = order.extras['gift']['note'].strip()",
        "return slip(order.id, lines, footer=note[:120])",
    ],
)
TURNED = [
    (["if flags.enabled('destination_rules', default=False):"], ["if flags.enabled('destination_rules', default=True):"]),
    (["if stock.left >= order.wanted and order.paid:"], ["if stock.left > order.wanted and order.paid:"]),
]


def test_a_helper_that_was_extracted_is_a_move() -> None:
    assert is_moved(*EXTRACTED)


def test_a_feature_that_keeps_all_names_and_reads_more_is_none() -> None:
    assert not is_moved(*USES_MORE)


def test_another_value_in_quotes_is_none() -> None:
    before = ['reply.setCookie("state", state, { httpOnly: true, secure: true, sameSite: "lax" })']

    assert not is_moved(before, ["const defaults = {", '  httpOnly: true, secure: true, sameSite: "strict" };'])


def test_a_value_in_quotes_that_stood_nowhere_before_is_none() -> None:
    before = ["if amount < payment.captured:", "    raise PartialNotSupported()", "return emit(payment.id, Refunded, amount)"]
    after = [
        'Partial = "PARTIALLY_REFUNDED"',
        "status = Refunded",
        "if amount < payment.captured:",
        "    status = Partial",
        "return emit(payment.id, status, amount)",
    ]

    assert not is_moved(before, after)


@pytest.mark.parametrize(("removed", "added"), TURNED, ids=["switch", "comparison"])
def test_a_switch_or_comparison_that_turned_on_the_same_line_is_none(removed: list[str], added: list[str]) -> None:
    assert not is_moved(removed * 2, added * 2)


def test_what_is_calculated_in_another_order_is_none() -> None:
    before = ["const double norm = double(rating - kMin) / (kMax - kMin);", "return int(norm * kBuckets);"]
    after = ["static const auto scale = 1 / (kMax - kMin);", "const auto norm = (rating - kMin) * scale;", before[1]]

    assert not is_moved(before, after)


def test_lines_of_configuration_with_another_value_did_not_only_move() -> None:
    before = [
        f"-            - name: SMTP_{name}\n-              secretKeyRef: {{name: notify-smtp, key: smtp-old}}" for name in "AB"
    ]
    after = [line.replace("\n-", "\n+").replace("-  ", "+  ", 1).replace("smtp-old", "smtp-new") for line in before]
    patch = "\n".join(["@@ -1 +1 @@", *before, *after])

    assert not summarize_diff(Commit("c" * 40, NOW, "tidy"), [FileChange("deployment.yaml", 1, 1, patch=patch)]).inert
