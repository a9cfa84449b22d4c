"""Blocks that no longer close what they opened, retries that nothing holds back, orders and ranges that are no longer kept."""

from bot.core.diffs.effects.safeguards import lost_safeguards
from bot.core.diffs.patches import read_patches
from bot.core.systems import FileChange


def lost(*lines: str, path: str = "a.ext") -> list[tuple[str, str]]:
    patch = "\n".join(["@@ -1 +1 @@", *lines])
    return [(effect.kind, effect.name) for effect in lost_safeguards(read_patches([FileChange(path, 1, 1, patch=patch)]))]


def test_a_block_that_closed_by_itself_and_is_gone_releases_nothing_any_more() -> None:
    opened = "-try (Connection c = pool.getConnection()) {"

    assert lost(opened, "+Connection c = pool.getConnection();", "+c.close();") == [("release", opened[1:])]
    assert lost("-    with pool.take() as connection:", "+    connection = pool.take()")[0][0] == "release"
    assert lost("-using var client = factory.Create();", "+var client = factory.Create();")[0][0] == "release"


def test_a_block_in_place_of_another_keeps_closing() -> None:
    assert not lost("-try (Connection c = first.getConnection()) {", "+try (Connection c = second.getConnection()) {")
    assert not lost("-try (Stream<Row> rows = repo.stream()) {", "+return repo.withStream(this::write);")
    assert not lost("-try (Handle handle = jdbi.open()) {", "+jdbi.inTransaction(handle -> {")
    assert lost("-try (Handle handle = jdbi.open()) {", "+Handle handle = jdbi.withTimeout(5).open();")


def test_a_file_that_nothing_opens_any_more_is_not_left_open() -> None:
    opened = "-    with open(path) as file:"

    assert not lost(opened, "-        text = file.read()", "+    text = Path(path).read_text()")
    assert lost(opened, "-        text = file.read()", "+    text = open(path).read()")[0][0] == "release"


def test_what_is_closed_by_hand_on_each_way_out_is_closed() -> None:
    opened = "-\tdefer file.Close()"

    ends = ("+\t\tfile.Close()", "+\t\treturn err", "+\t}", "+\tfile.Close()", "+\treturn nil", " }")
    assert not lost(opened, *ends, path="writer.go")
    assert lost(opened, " \t\treturn nil, errEmpty", *ends, path="writer.go")[0][0] == "release"
    assert lost(opened, *ends[:-1], path="writer.go")[0][0] == "release", "others may return where nobody sees it"
    assert lost(opened, *ends, path="writer.zig")[0][0] == "release", "elsewhere a failure leaves a function too"


def test_a_function_around_a_call_that_is_gone_held_nothing() -> None:
    assert not any(kind == "release" for kind, _ in lost("-tracer.withSpan(span -> place(order));", "+place(order);"))


def test_a_client_without_back_off_asks_again_at_once() -> None:
    assert lost("-  return backoff(() => send(req), { tries: 2 });", "+  return until(() => send(req));") == [
        ("retry", "backoff")
    ]


def test_another_back_off_is_no_loss() -> None:
    assert not lost("-  wait(linearBackoff(n));", "+  wait(expBackoff(n));")


def test_a_client_that_tries_again_until_it_succeeds_no_longer_ends() -> None:
    tried = ["-for (let n = 0; n < 3; n++) { try { return send(); } catch (e) {} }"]

    assert lost(*tried, "+while (true) { try { return send(); } catch (e) {} }")[0][0] == "retry"
    assert not lost(*tried, "+for (let n = 0; n < 5; n++) { try { return send(); } catch (e) {} }")


def test_rows_that_are_no_longer_sorted_are_taken_in_any_order() -> None:
    assert lost("-sort.Strings(skus)", "+for sku := range wanted {")[0] == ("order", "sort.Strings(skus)")
    assert not lost("-rows.sort(key=by_name)", "+rows = sorted(rows, key=by_id)")


def test_rows_that_are_locked_in_another_order_may_wait_for_each_other() -> None:
    by_key, by_stock = "-foreach (var row in rows.OrderBy(r => r.Id))", "+foreach (var row in rows.OrderBy(r => r.Left))"

    assert ("order", by_key.lstrip("-")) in lost(by_key, by_stock, " await tx.CommitAsync();")
    assert not lost(by_key, by_stock)


def test_arithmetic_that_is_no_longer_checked_may_leave_its_range() -> None:
    assert ("guard", "let left = total.checked_sub(used)?;") in lost(
        "-let left = total.checked_sub(used)?;", "+let left = total - used;"
    )


def test_what_was_stored_for_a_time_and_is_stored_for_ever_now_expires_no_more() -> None:
    timed = "-\treturn s.rdb.Set(ctx, key(c.ID), b, s.ttl).Err()"

    assert lost(timed, "+\treturn s.rdb.HSet(ctx, key(c.ID), fields).Err()") == [("expiry", timed[1:].strip())]
    assert not lost(timed, "+\ts.rdb.HSet(ctx, key(c.ID), fields)", "+\treturn s.rdb.Expire(ctx, key(c.ID), s.ttl).Err()")


def test_a_client_that_an_object_held_and_each_call_makes_now_connects_anew() -> None:
    held = "-    return await _http.GetFromJsonAsync<Fare>(url, ct);"

    assert ("pool", "_http.GetFromJsonAsync<Fare>") in lost(
        held, "+    using var http = new HttpClient { BaseAddress = address };"
    )
    assert not lost(held, "+    return await _http.GetFromJsonAsync<Fare>(path, ct);")
    assert not lost("-        self.session.commit()", "+        rates = requests.get(address)")


def test_results_that_were_looked_up_in_a_collection_which_is_gone_are_made_anew_each_time() -> None:
    remembered = ["-const sets = new Map<string, KeySet>();", "-  let s = sets.get(issuer);", "-    sets.set(issuer, s);"]

    assert ("cache", "sets") in lost(*remembered, "+const keySet = (o) => createKeySet(o.issuer);")
    assert not lost(*remembered, "+  return sets.getOrCreate(issuer);")


def test_a_permit_that_is_forgotten_is_given_back_by_nobody() -> None:
    assert lost("+        permit.forget();", path="a.rs") == [("release", "permit.forget();")]
    assert not lost("+        result.forget();", path="a.py")
    assert not lost("-    permit.forget();", "+        permit.forget();", path="a.rs")


def test_a_collection_of_one_call_and_an_exception_are_nothing_that_was_remembered() -> None:
    assert not lost("-    totals = {}", "-    if sku in totals:", "-        totals[sku] = 1", "+    by_sku = Counter(skus)")
    assert not lost("-        failures.add(ex);", "+        failures.record(cause);")
