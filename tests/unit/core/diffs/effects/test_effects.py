"""What a diff does, statement by statement: schemas that lock, formats, names built otherwise, rules of the network, labels."""

import pytest

from bot.core.diffs.effects.effects import effects_of
from bot.core.diffs.patches import read_patches
from bot.core.systems import FileChange


def read(*files: tuple[str, str]) -> set[tuple[str, str]]:
    changes = [FileChange(path, 1, 1, patch=f"@@ -1 +1 @@\n{lines}") for path, lines in files]
    return {(effect.kind, effect.name) for effect in effects_of(read_patches(changes))}


def test_an_index_that_is_built_at_once_locks_its_table_and_one_that_is_built_beside_does_not() -> None:
    built = "CREATE INDEX {}IF NOT EXISTS postings_ref_idx"

    assert ("lock", "postings_ref_idx") in read(("db/V1.sql", "+" + built.format("")))
    assert ("lock", "postings_ref_idx") not in read(("db/V1.sql", "+" + built.format("CONCURRENTLY ")))


def test_migrations_of_frameworks_lock_their_tables_unless_they_let_others_write() -> None:
    rails = ("+    add_index :loans, %i[branch until],", "+              algorithm: :concurrently")

    assert ("schema", "migrations.AddIndex") in read(("appointments/0147.py", "+        migrations.AddIndex("))
    assert not read(("0001.py", "+        migrations.CreateModel(\n+        migrations.AddIndex("))
    assert ("lock", "loans") in read(("db/migrate/1.rb", rails[0]))
    assert ("lock", "orders") in read(("db/migrate/2.rb", "\n".join([*rails, "+    add_index :orders, :sku"])))
    assert not read(("0147.py", "+        AddIndexConcurrently("))
    assert not {kind for kind, _ in read(("db/migrate/1.rb", "\n".join(rails)))} & {"lock"}


def test_a_message_of_which_the_bytes_are_no_longer_kept_is_of_another_format() -> None:
    raw = "-app.use('/hooks', express.raw({ type: 'application/json' }));"

    assert ("format", "express.raw") in read(("app.ts", raw))
    assert ("format", "express.raw") not in read(("app.ts", f"{raw}\n+router.use(express.raw({{ type: '*/*' }}));"))
    assert ("format", "express.raw") not in read(("app.ts", f"{raw}\n+const body = await req.text();"))


def test_rows_that_are_left_out_where_others_have_locked_them_make_nobody_wait() -> None:
    taken = '+    "SELECT id FROM runs FOR UPDATE{}"'

    assert {kind for kind, _ in read(("runs.py", taken.format("")))} & {"lock"}
    assert not {kind for kind, _ in read(("runs.py", taken.format(" SKIP LOCKED")))} & {"lock"}


@pytest.mark.parametrize("line", ["+  FROM dbo.Audit WITH (TABLOCKX, HOLDLOCK);", "+LOCK TABLE audit IN EXCLUSIVE MODE;"])
def test_hints_and_statements_that_lock_a_table_are_locks(line: str) -> None:
    assert "lock" in {kind for kind, _ in read(("db/V2.sql", line))}
    assert "lock" not in {kind for kind, _ in read(("db/V2.sql", "+  FROM dbo.Audit WITH (NOLOCK);"))}
    assert "lock" not in {kind for kind, _ in read(("Menu.tsx", "+  <button>Lock table</button>"))}


def test_what_a_block_closes_by_itself_now_is_still_closed() -> None:
    by_hand = "-    Connection c = pool.getConnection();\n-    } finally { c.close(); }"

    assert ("release", "} finally { c.close(); }") in read(("Ledger.java", by_hand))
    closing = f"{by_hand}\n+    try (Connection c = pool.getConnection()) {{"
    assert not {kind for kind, _ in read(("Ledger.java", closing))} & {"release"}
    assert ("release", "subscription.Dispose();") in read(("S.cs", "-    subscription.Dispose();\n+using System.Net.Http;"))


def test_a_value_that_took_the_place_of_none_and_is_gone_is_a_lost_guard() -> None:
    with_default = "-            .unwrap_or(Bps::ZERO)"

    assert ("guard", "unwrap_or") in read(("surcharge.rs", f"{with_default}\n+        .unwrap()"))
    assert ("guard", "unwrap_or") not in read(("surcharge.rs", f"{with_default}\n+            .unwrap_or_default()"))
    assert ("guard", "unwrap_or") not in read(("surcharge.rs", f"{with_default}\n+        .map_or(0, |row| row.bps)"))
    assert ("guard", ".orElse") in read(("Rates.java", "-    .orElse(Rate.ZERO);\n+    .orElseThrow();"))


def test_the_keys_of_a_store_are_not_made_by_listing_them() -> None:
    listed = '-  const keys = await redis.keys("app:*");\n+  const keys = await redis.keys("web:*");'

    assert "cache_key" not in {kind for kind, _ in read(("collect.ts", listed))}
    made = "const cacheKey = `items:{}${{Object.keys(filters).join()}}`;"
    other = f"-  {made.format('${tenant}:')}\n+  {made.format('')}"
    assert "cache_key" in {kind for kind, _ in read(("items.ts", other))}


def test_rows_that_are_taken_for_update_are_no_table() -> None:
    assert ("query", "NOWAIT") not in read(("loyalty/rows.py", '+    "SELECT id FROM points WHERE id = %s FOR UPDATE NOWAIT"'))


def test_how_a_library_writes_messages_is_a_format() -> None:
    switch = "SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)"

    assert ("format", "WRITE_DATES_AS_TIMESTAMPS") in read(("Mappers.java", f"+        .disable({switch}"))
    assert ("format", "WRITE_DATES_AS_TIMESTAMPS") in read(("M.java", f"-    .disable({switch}\n+    .enable({switch}"))
    assert ("format", "strict") in read(("schemas.ts", "+export const Args = z.object({}).strict();"))


def test_a_format_that_one_file_loses_and_another_says_again_is_the_same() -> None:
    switch = ".configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);"

    assert not read(("Listener.java", f"-        {switch}"), ("JsonConfig.java", f"+        {switch}"))
    assert read(("Listener.java", f"-        {switch}"))


def test_a_key_that_another_file_builds_otherwise_is_another_key() -> None:
    reader = (
        "store/reader.py",
        '-        raw = self.redis.get(f"fv:{view}:{ids}")\n+        raw = self.redis.get(encode(view, ids))',
    )

    assert ("cache_key", "fv:{view}:{ids}") in read(reader, ("store/keys.py", '+    return f"fv|{view}|{ids}".encode()'))
    assert ("cache_key", "fv:{view}:{ids}") not in read(reader, ("store/keys.py", '+    return f"fv:{view}:{ids}".encode()'))


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("edge/default.vcl", "hash_data(req.http.X-Device);", "hash_data(req.http.User-Agent);"),
        ("nginx.conf", "proxy_cache_key $host$uri;", "proxy_cache_key $host$request_uri$http_cookie;"),
    ],
)
def test_an_edge_cache_that_tells_requests_apart_by_something_else_has_other_keys(path: str, before: str, after: str) -> None:
    assert ("cache_key", after) in read((path, f"-  {before}\n+  {after}"))
    assert not any(kind == "cache_key" for kind, _ in read((path, f"-  {before}\n+    {before}")))


def test_rules_of_the_network_change_who_can_be_called() -> None:
    assert ("address", "NetworkPolicy") in read(("policies/tools.yaml", "+kind: NetworkPolicy\n+  policyTypes: [Egress]"))
    assert not read(("docs/policies.md", "+kind: NetworkPolicy"))


def test_a_label_with_a_value_for_each_request_makes_a_series_of_each() -> None:
    before = "-\t\tduration.WithLabelValues(r.Method, route, code(ww)).Observe(d)"

    assert ("label", "r.URL.Path") in read(
        ("mw.go", f"{before}\n+\t\tduration.WithLabelValues(r.Method, r.URL.Path, code(ww)).Observe(d)")
    )
    assert not read(("mw.go", f"{before}\n+\t\tduration.WithLabelValues(r.Method, name, code(ww)).Observe(d)"))


def test_a_new_metric_with_a_moment_for_a_label_makes_a_series_of_each() -> None:
    timer = '+    Timer.builder("age")\n+        .tag("store", s.name())\n+        .tag("slot", {})\n+        .register(meters)'

    assert ("label", "s.readAt().toString()") in read(("Age.java", timer.format("s.readAt().toString()")))
    assert ("label", "receipt.phone()") in read(("Age.java", timer.format("receipt.phone()")))
    assert ("label", "s.readAt") in read(("Age.java", timer.format("s.readAt")))
    assert not read(("Age.java", timer.format("s.kind()")))
    assert not read(("Age.java", timer.format("s.format()")))


def test_a_tag_of_a_trace_makes_no_series() -> None:
    tag = '+\tspan.tag("order_id", order.number)'

    assert not read(("orders.kt", tag))
    assert ("label", '"order_id"') in read(("orders.kt", tag.replace("span", "ordersPlaced")))


def test_a_label_with_the_path_that_was_called_in_place_of_its_route_makes_a_series_of_each() -> None:
    pattern, path = "-\troute := chi.RouteContext(ctx).RoutePattern()", "+\troute := r.URL.Path"

    assert ("label", "r.URL.Path") in read(("mw.go", f"{pattern}\n{path}"))
    assert not read(("mw.go", f"{pattern}\n+\troute := chi.RouteContext(r.Context()).RoutePattern()"))


def test_a_scheduled_run_that_may_begin_while_the_one_before_goes_on_is_one_of_many() -> None:
    assert ("pool", "concurrencyPolicy: Forbid") in read(("cron.yaml", "-  concurrencyPolicy: Forbid"))
    replaced = read(("cron.yaml", "-  concurrencyPolicy: Forbid\n+  concurrencyPolicy: Replace"))
    assert ("pool", "concurrencyPolicy: Forbid") not in replaced
    gone = read(("cron.yaml", '-kind: CronJob\n-  schedule: "*/5 * * * *"\n-  concurrencyPolicy: Forbid'))
    assert ("pool", "concurrencyPolicy: Forbid") not in gone


def test_an_id_that_is_no_longer_of_chance_may_be_that_of_several() -> None:
    chance, host = '-    let id = format!("in-{}", Uuid::new_v4());', '+    let id = format!("in-{}", host);'

    assert ("sharing", chance.lstrip("-").strip()) in read(("connect.rs", f"{chance}\n{host}"))
    assert not read(("connect.rs", f'{chance}\n+    let id = format!("in-{{}}", Uuid::now_v7());'))


def test_a_column_that_is_looked_up_by_a_function_of_it_is_another_query() -> None:
    plain, wrapped = "-  .where('sku = ?', sku)", "+  .whereRaw('LOWER(sku) = ?', sku)"

    assert ("query", "LOWER(sku)") in read(("items.js", f"{plain}\n{wrapped}"))
    assert not read(("items.js", f"{wrapped.replace('+', '-')}\n{wrapped}  // as before"))


def test_a_function_of_the_program_is_no_column_of_a_statement() -> None:
    assert not read(("Rows.kt", "+    fun convert(row: Row) = Order(row)"))
    assert not read(("days.py", "+    within = date(2026, first, 1) <= day"))
    assert ("query", "date(placed_at)") in read(("orders.sql", "+   AND date(placed_at) = :day"))
    assert ("query", "date(placed_at)") in read(("orders.go", "+   and date(placed_at) = $1"))


def test_a_record_that_touches_its_owner_gives_all_that_is_cached_of_it_other_keys() -> None:
    path, plain, touching = "app/models/line.rb", "-  belongs_to :item", "+  belongs_to :item, touch: true"

    assert ("cache_key", "touch: true") in read((path, f"{plain}\n{touching}"))
    assert ("cache_key", "touch: true") not in read((path, f"{plain}, touch: true\n{touching}, optional: true"))


def test_a_setting_that_goes_on_in_another_file_under_the_end_of_its_name_is_the_same() -> None:
    old = ("k8s/history.yaml", '-            - name: SPRING_DATASOURCE_MAXIMUM_POOL_SIZE\n-              value: "40"')

    assert not read(old, ("application.yml", "+    maximum-pool-size: 40"))
    assert read(old, ("application.yml", "+    maximum-pool-size: 4"))


def test_a_default_behind_a_missing_value_is_no_condition() -> None:
    assert not read(("verify.ts", "+    timeoutDuration: o.timeoutDuration ?? 5000,"))


def test_a_shape_that_refuses_what_it_does_not_know_is_another_format() -> None:
    assert ("format", "strictObject") in read(
        ("tools/schemas.ts", "-export const Args = z.object({\n+export const Args = z.strictObject({")
    )


def test_records_that_are_sent_under_another_key_go_to_other_partitions() -> None:
    sent = "producer.send(new ProducerRecord<>(TOPIC, {}, encode(span)));"

    assert ("record_key", "span.traceId()") in read(
        ("Publisher.java", f"-  {sent.format('span.traceId()')}\n+  {sent.format('batch.accountId()')}")
    )
    assert not read(("Publisher.java", f"-  {sent.format('span.traceId()')}\n+  {sent.format('one.traceId()')}"))
    assert ("record_key", "e.visitorId") in read(
        ("publish.ts", ' topic: "clicks",\n-      key: e.visitorId,\n+      key: envelopeKey(e),')
    )
    assert ("record_key", 's"$park-$turbine"') in read(
        ("Publisher.scala", ' new ProducerRecord(topic, key)\n-    val key = s"$park-$turbine"\n+    val key = operator.code')
    )
    assert not read(("list.ts", "-      key: item.id,\n+      key: item.uuid,"))


def test_a_network_of_another_size_is_another_address() -> None:
    assert ("address", "cidr") in read(
        ("policies/risk.yaml", "-            cidr: 10.60.0.0/16\n+            cidr: 10.60.0.0/20")
    )


def test_a_constraint_that_is_checked_later_and_an_index_that_is_built_beside_lock_nothing() -> None:
    assert not {kind for kind, _ in read(("V1.sql", "+ALTER TABLE a ADD CONSTRAINT c CHECK (x > 0) NOT VALID;"))} & {"lock"}
    assert not {kind for kind, _ in read(("V1.sql", "+CREATE INDEX  CONCURRENTLY idx_a ON a (x);"))} & {"lock"}


def test_an_interval_that_never_comes_or_is_off_and_odd_schedules_are_read_without_trouble() -> None:
    for value in ("9223372036854775807", "-1", '"*/5,30 * * * *"', '"*/- * * * *"'):
        assert ("schedule", "poll_interval") in read(("a.yaml", f"-poll_interval: 5\n+poll_interval: {value}"))


@pytest.mark.parametrize(
    ("path", "before", "after", "name"),
    [
        (
            "Filter.cs",
            "var found = await rules.CheckAsync(order);",
            "var found = rules.CheckAsync(order).Result;",
            "Async(order).Result",
        ),
        ("Filter.cs", "var found = await rules.CheckAsync(order);", ".GetAwaiter().GetResult();", "GetAwaiter().GetResult()"),
        ("registry.ex", "GenServer.cast(Registry, {:beat, id})", "GenServer.call(Registry, {:beat, id})", "GenServer.call"),
        ("thumbs.ts", "const out = await gzip(body)", "const out = zlib.gzipSync(body)", "gzipSync"),
    ],
)
def test_what_was_awaited_and_holds_a_thread_or_a_process_now_is_waited_for(
    path: str, before: str, after: str, name: str
) -> None:
    assert ("waiting", name) in read((path, f"-    {before}\n+    {after}"))
    assert not any(kind == "waiting" for kind, _ in read((path, f"-    {before}\n-    {after}\n+    {after}")))


def test_a_call_that_no_longer_runs_apart_holds_the_threads_that_serve_everybody() -> None:
    apart = "-    return withContext(Dispatchers.IO) {\n-      http.newCall(request).execute()\n-    }"

    assert ("waiting", "Dispatchers.IO") in read(("Partner.kt", f"{apart}\n+    return http.newCall(request).execute()"))
    assert not read(("Partner.kt", apart)) & {("waiting", "Dispatchers.IO")}
    for other in ("Dispatchers.IO", "ioDispatcher"):
        moved = f"{apart}\n+    return withContext({other}) {{ http.newCall(request).execute() }}"
        assert not {kind for kind, _ in read(("Partner.kt", moved))} & {"waiting"}
    by_name = "-    await asyncio.to_thread(parse_invoice, body)"
    assert ("waiting", "to_thread") in read(("api.py", f"{by_name}\n+    parse_invoice(body)"))
    assert not read(("api.py", f"{by_name}\n+    await parse_invoice(body)")) & {("waiting", "to_thread")}


def test_a_consumer_of_another_group_reads_its_topics_from_elsewhere() -> None:
    other = ("application.yml", "-      group-id: notes-v1\n+      group-id: ${spring.application.name}")

    assert ("offset", "group-id") in read(other)
    assert not any(kind == "offset" for kind, _ in read(("application.yml", "+      group-id: notes-v1")))


def test_a_listener_that_is_no_longer_taken_back_is_not_released() -> None:
    cleanup = "-  socket.once('close', () => bus.off('message', listener));"

    assert any(kind == "release" for kind, _ in read(("a.ts", cleanup)))
    assert not any(
        kind == "release" for kind, _ in read(("a.ts", f"{cleanup}\n+  onClose(() => bus.off('message', listener));"))
    )
