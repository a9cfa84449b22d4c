"""Fields that are of another type than before, in the languages in which messages are declared."""

import pytest

from bot.core.diffs.effects.fields import retyped_fields
from bot.core.diffs.patches import read_patches
from bot.core.systems import FileChange


def retyped(before: str, after: str) -> list[tuple[str, str, str]]:
    patch = "\n".join(["@@ -1 +1 @@", f"-{before}", f"+{after}"])
    (read,) = read_patches([FileChange("dto.ts", 1, 1, patch=patch)])
    return [(effect.name, effect.before, effect.after) for effect in retyped_fields(read)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  minutes!: number;", "  minutes!: string;"),
        ("    val minutes: Int,", "    val minutes: BigDecimal,"),
        ("    minutes: int", "    minutes: Decimal"),
        ("    pub minutes: u32,", "    pub minutes: f64,"),
        ("    private int minutes;", "    private BigDecimal minutes;"),
        ("    public long Minutes { get; set; }", "    public string Minutes { get; set; }"),
        ("  int64 minutes = 3;", "  string minutes = 3;"),
    ],
)
def test_a_field_of_another_type_is_told(before: str, after: str) -> None:
    assert [name.casefold() for name, *_ in retyped(before, after)] == ["minutes"]


def test_a_field_that_is_renamed_or_may_be_left_out_now_is_of_no_other_type() -> None:
    assert not retyped("  minutes: number;", "  hours: string;")
    assert not retyped("  minutes: number;", "  minutes?: number;")


def test_a_type_that_is_spelled_another_way_is_the_same() -> None:
    assert not retyped("    public String Id { get; set; }", "    public string Id { get; set; }")
