"""What a diff surely changes, whatever the trouble is: guilty code beside the tidying that looks like it."""

import pytest

from bot.core.diffs.consequence import consequence_of
from bot.core.diffs.effect_text import effect_text
from tests.unit.core.diffs.test_explanation import diff_of


@pytest.mark.parametrize(
    ("path", "lines", "told"),
    [
        (
            "pkg/streams/defaults.go",
            ["-\tSessionTimeout: 45 * time.Second,", "+\tSessionTimeout: 6 * time.Second,"],
            "changes SessionTimeout from 45 * time.Second to 6 * time.Second",
        ),
        ("Dockerfile", ["-FROM alpine:3.20", "+FROM scratch"], "removes alpine (3.20)"),
        (
            "src/tool_result.ts",
            ["-  const text = clipTokens(out.text, MAX);", "-  return { text };", "+  return { text: out.text };"],
            "no longer limits a length or size with clipTokens",
        ),
        (
            "pkg/objcache/key.go",
            ['-\treturn fmt.Sprintf("%s/%s/%d", kind, org, id)', "+\tb = append(b, kind...)", "+\treturn string(b)"],
            "builds keys differently (key.go)",
        ),
        (
            "middleware/latency.go",
            ["-\tseconds.WithLabelValues(r.Method).Observe(t)", "+\tseconds.WithLabelValues(r.Method, r.URL.Path).Observe(t)"],
            "adds the label r.URL.Path to a metric",
        ),
        (
            "history.go",
            ["+\tfor i := range views {", "+\t\tlines, err := s.lines.ByOrder(ctx, views[i].ID)"],
            "no longer does .ByOrder(ctx for many at once",
        ),
        (
            "catalog.ts",
            ["-  return `${connector}__${op}`;", "+  return `${connector}.${op}`;"],
            "changes how a text or name is built or read (${connector}__${op})",
        ),
        (
            "pkg/breaker/roundtrip.go",
            ["-\tif resp.StatusCode >= http.StatusInternalServerError {", "+\treturn resp.StatusCode < http.StatusBadRequest"],
            "compares with http.StatusBadRequest instead of http.StatusInternalServerError",
        ),
        ("record.go", ["-\tKiB int64", "+\tKiB int32"], "changes the bits of a number from 64 to 32"),
        ("dns/coredns.yaml", ["-        cache 60", "+        # everything else"], "removes cache (60)"),
        (
            "nginx.conf",
            ["-  proxy_read_timeout 60s;", "+  proxy_read_timeout 6s;"],
            "changes proxy_read_timeout from 60s to 6s",
        ),
    ],
)
def test_a_diff_that_does_more_than_tidy_has_a_consequence(path: str, lines: list[str], told: str) -> None:
    effect = consequence_of(diff_of(path, *lines))

    assert effect is not None and effect_text(effect) == told


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("locate.go", ["-\tobj, err := l.store.Get(ctx, key)", "+\treturn l.store.Get(ctx, ref.key())"]),
        ("go.mod", ["-\tgithub.com/a/b v1.2.0", "+\tgithub.com/a/b v1.2.1"]),
        ("list.tsx", ["-  if (loading) return <Spinner />;", "+  if (loading) return <Rows count={8} />;"]),
        ("limits.go", ["-\tBurst: 50,", "+\tBurst: 60,"]),
        ("requirements.txt", ["-django==4.2.1", "+django==5.0.2"]),
        ("metrics.py", ["-requests.labels(route).inc()", "+requests.labels(route, route).inc()"]),
        ("metrics.py", ["-first.labels(route).inc()", "+second.labels(route, code).inc()"]),
        ("paths.py", ['-path = f"a/{user_id}"', '+path = f"a/{uid}"']),
        ("share.ts", ["-  copyToClipboard(text);", "+  copy(text);"]),
        ("orders.py", ["-if status == Status.ACTIVE or x == None:", "+if status == Status.ACTIVE or x == True:"]),
        ("worker.go", ["-\tgo run(jobs)", "+\tgo consume(jobs)"]),
    ],
)
def test_tidied_code_small_steps_and_patches_of_packages_have_none(path: str, lines: list[str]) -> None:
    assert consequence_of(diff_of(path, *lines)) is None
