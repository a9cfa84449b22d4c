"""Units of time that are gone, or are not what the name of their number says."""

from bot.core.diffs.effects.times import epochs, units, zones
from bot.core.diffs.patches import read_patches
from bot.core.systems import FileChange


def read(*lines: str) -> list[tuple[str, str, str]]:
    patch = "\n".join(["@@ -1 +1 @@", *lines])
    return [
        (effect.kind, effect.before, effect.after) for effect in units(read_patches([FileChange("a.go", 1, 1, patch=patch)]))
    ]


def test_a_number_that_lost_its_unit_is_another_time() -> None:
    used = "-\tTimeout: time.Duration(cfg.TimeoutMS) * time.Millisecond,"

    assert read(used, "+\treturn time.Duration(c.TimeoutMS)") == [("timeout", "1 milli", "")]
    assert read("-\trdb.Expire(key, time.Duration(cfg.TTLSeconds)*time.Second)", "+\tscript.Run(key, cfg.TTLSeconds)") == [
        ("cache", "1 second", "")
    ]


def test_moments_in_seconds_that_were_in_thousandths_are_others() -> None:
    def units_of_moments(*lines: str) -> list[tuple[str, str]]:
        (patch,) = read_patches([FileChange("range.go", 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines]))])
        return [(effect.before, effect.after) for effect in epochs(patch)]

    assert units_of_moments("-\treturn from.UnixMilli()", "+\treturn from.Unix()") == [("millis", "seconds")]
    assert units_of_moments("-\treturn time.UnixMilli(at)", "+\treturn time.Unix(at, 0)") == [("millis", "seconds")]
    assert units_of_moments("-  Instant.ofEpochMilli(at)", "+  Instant.ofEpochSecond(at)") == [("millis", "seconds")]
    assert units_of_moments("-\treturn from.UnixMilli()", "+\treturn r.From.UnixMilli()") == []


def test_a_moment_that_is_no_longer_read_in_its_place_is_another() -> None:
    def clocks(*lines: str) -> list[str]:
        (patch,) = read_patches([FileChange("stamp.go", 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines]))])
        return [effect.name for effect in zones(patch)]

    local = "-\treturn time.ParseInLocation(layout, text, place)"
    assert clocks(local, "+\treturn time.Parse(layout, text)") == ["ParseInLocation"]
    assert clocks("-val now = ZonedDateTime.now(port.zone)", "+val now = LocalDateTime.now(clock)") != []
    assert clocks(local, "+\treturn time.ParseInLocation(layout, trimmed, place)") == []
    assert clocks("-    private LocalDateTime archivedAt;", "+    private String updatedNote;") == []


def test_an_entry_that_lives_for_so_many_milliseconds_in_place_of_seconds_is_gone_at_once() -> None:
    assert read("-    r.setex(key, 7200, value)", "+    r.set(key, value, px=7200)") == [("cache", "1 second", "1 milli")]
    assert not read("-    r.setex(key, 7200, value)", "+    r.set(key, value, ex=7200)")


def test_a_unit_that_stands_elsewhere_or_whose_number_is_gone_is_no_loss() -> None:
    used = "-\tTimeout: time.Duration(cfg.TimeoutMS) * time.Millisecond,"

    assert not read(used, "+\treturn time.Duration(c.TimeoutMS) * time.Millisecond")
    assert not read(used, "+\tTimeout: cfg.Wait(),")
    assert not read(
        "-\tctx := context.WithTimeout(ctx, 5*time.Second)", "+\tctx := context.WithTimeout(ctx, cfg.RequestTimeout)"
    )


def test_a_number_whose_name_says_another_unit_than_its_factor_is_another_time() -> None:
    named = '+\tQueryTimeout int64 `yaml:"query_timeout_seconds"`'

    assert ("timeout", "1 second", "1 milli") in read(
        named, "+\tctx := withTimeout(time.Duration(t.QueryTimeout)*time.Millisecond)"
    )
    assert not read(named, "+\tctx := withTimeout(time.Duration(t.QueryTimeout)*time.Second)")


def test_a_time_that_is_read_in_thousandths_has_another_unit_and_what_is_measured_has_not() -> None:
    def unit(before: str, after: str) -> list[tuple[str, str]]:
        patch = f"@@ -1 +1 @@\n-{before}\n+{after}"
        effects = units(read_patches([FileChange("http/settings.py", 1, 1, patch=patch)]))
        return [(effect.before, effect.after) for effect in effects]

    assert unit('read=float(s.get("read_timeout", 8)),', 'read=float(s.get("read_timeout", 8000)) / 1000,') == [
        ("1 second", "1 milli")
    ]
    assert not unit("self.timeout = timeout", "duration_s = elapsed_ms / 1000")
    assert not unit("duration = Date.now() - start", "duration = (Date.now() - start) / 1000")
    assert not unit("read = timeout / 1000", "read = timeout * 0.001")
