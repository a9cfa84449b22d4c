"""A delay laid into sums of spans: it is felt by all that wait for the call, and by nobody else."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from bot.core.traces.calls import CallSummary
from tests.evaluation import delays
from tests.evaluation.injected_delays import Delayed, add_delay

MINUTE = [
    CallSummary(600, "", "front", "/*", "server", 10, 0.05, 0.08, 0.09),
    CallSummary(600, "front", "front", "HTTP GET", "client", 10, 0.03, 0.06, 0.07),
    CallSummary(600, "front", "orders", "/orders", "server", 10, 0.028, 0.058, 0.068),
    CallSummary(600, "orders", "orders", "HTTP GET", "client", 20, 0.005, 0.008, 0.009),
    CallSummary(600, "orders", "stock", "/stock", "server", 10, 0.004, 0.006, 0.007),
    CallSummary(600, "orders", "price", "/price", "server", 10, 0.004, 0.006, 0.007),
    CallSummary(600, "stock", "stock", "SELECT", "internal", 10, 0.001, 0.002, 0.003),
]


def laid(target: str, *, chance: float = 1.0) -> Delayed:
    return add_delay(MINUTE, target, 1.0, chance=chance, rng=np.random.default_rng(4), quantiles=[0.5])


def test_a_delay_is_felt_by_the_caller_and_by_all_that_wait_for_it() -> None:
    after = {(one.service, one.side): one.longest for one in laid("stock").calls}

    assert all(after[place] > 0.9 for place in [("orders", "client"), ("orders", "server"), ("front", "client")])
    assert after["front", "server"] > 0.9


def test_the_delayed_service_itself_and_its_neighbours_show_nothing() -> None:
    untouched = [one for one in laid("stock").calls if one.service in ("stock", "price")]

    assert untouched == [one for one in MINUTE if one.service in ("stock", "price")]


def test_where_no_call_is_hit_every_sum_stays_as_it_was() -> None:
    assert laid("stock", chance=0.0) == Delayed(MINUTE, {}, 0)


def test_all_calls_are_hit_and_the_half_of_the_callers_waits_that_are_for_them_lasts_longer() -> None:
    found = laid("stock")

    assert found.met == 10 and found.longer["orders", "client", 0.5] == pytest.approx(0.5, abs=0.1)


def test_delays_are_laid_looked_for_and_told_by_their_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system = tmp_path / "shop"
    system.mkdir()
    (system / "incidents.json").write_text(json.dumps({"a": {"alert_ts": 1260}}), encoding="utf-8")
    rows = [_row(one, minute) for minute in (*range(0, 600, 60), *range(1200, 1440, 60)) for one in MINUTE]
    with gzip.open(system / "spans_1m.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(["minute,caller,service,operation,n,p50_us,p95_us,max_us,set", *rows]))

    delays.evaluate(tmp_path, tmp_path / "out.json")

    told, answers = capsys.readouterr().out, json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert len(answers) == 8 and all(f"delay of {seconds:g} s (n 2)" in told for seconds in delays.SECONDS)
    assert "delay of 2 s (n 2): AC@1 1.00, AC@3 1.00" in told


def _row(one: CallSummary, minute: int) -> str:
    lengths = ",".join(str(1e6 * seconds) for seconds in (one.p50, one.p95, one.longest))
    return f"{minute},{one.caller or '-'},{one.service},{one.operation},{one.count},{lengths},normal"
