"""Which settings of a diff count as changed, and which way."""

from bot.core.diffs.effects.effects import effects_of
from bot.core.diffs.effects.settings import settings_of, without_moved
from bot.core.diffs.levels import level_of
from bot.core.diffs.patches import Patch, read_patches
from bot.core.systems import FileChange


def changed(path: str, removed: list[str], added: list[str]) -> list[tuple[str, str, str]]:
    return [(one.name, one.before, one.after) for one in settings_of(Patch(path, tuple(removed), tuple(added)))]


def test_a_limit_and_a_request_of_the_same_name_are_told_apart() -> None:
    removed = ['limits = { memory = "2Gi" }', 'requests = { memory = "512Mi" }']
    added = ['limits = { memory = "768Mi" }', 'requests = { memory = "512Mi" }']

    assert changed("main.tf", removed, added) == [("memory", "2Gi", "768Mi")]


def test_a_setting_that_goes_on_under_another_name_with_its_value_has_not_changed() -> None:
    assert changed("config.go", ["ttlSeconds = 300"], ["ttl = 5 * time.Minute"]) == []
    assert changed("config.go", ["ttlSeconds = 300"], ["ttl = 5 * time.Second"]) != []


def test_a_name_with_its_value_on_the_line_below_is_one_setting() -> None:
    assert changed("values.yaml", ["- name: POOL_SIZE", "  value: 20"], ["- name: POOL_SIZE", "  value: 2"]) == [
        ("POOL_SIZE", "20", "2")
    ]


def test_a_number_that_is_gone_from_code_is_a_setting_only_if_its_name_bounds_something() -> None:
    assert changed("layout.py", ["row_size = 40"], []) == []
    assert changed("layout.py", ["max_row_size = 40"], []) == [("max_row_size", "40", "")]
    assert changed("values.yaml", ["row_size: 40"], []) == [("row_size", "40", "")]


def read(*files: tuple[str, str]) -> list[tuple[str, str, str]]:
    changes = [FileChange(path, 1, 1, patch=f"@@ -1 +1 @@\n{lines}") for path, lines in files]
    return [(one.name, one.before, one.after) for one in effects_of(read_patches(changes))]


def test_of_a_number_that_another_name_holds_now_the_setting_has_both_values() -> None:
    used = ("queue.py", '-    "lease_timeout": 6 * 60 * 60,\n+    "lease_timeout": settings.redeliver_after,')

    assert read(used, ("settings.py", "+    redeliver_after: int = 900")) == [("lease_timeout", "6 * 60 * 60", "900")]
    assert read(used, ("settings.py", "+    redeliver_after: int = 21_600")) == []


def test_a_constant_that_moved_into_the_configuration_with_its_value_has_not_changed() -> None:
    constant = ("client.rs", "-    const TIMEOUT: Duration = Duration::from_millis(12);")

    def names(file: tuple[str, str]) -> set[str]:
        return {name for name, _, _ in read(constant, file)}

    assert "timeout_ms" not in names(("prod.toml", "+timeout_ms = 12"))
    assert "timeout_ms" in names(("prod.toml", "+timeout_ms = 2"))


def test_a_constant_that_became_the_default_of_a_field_has_not_changed() -> None:
    field = '+    Memory uint32 `env:"MEMORY_KIB" default:"{}"`'

    def names(default: str) -> set[str]:
        return {name for name, _, _ in read(("hash.go", f"-    memory = 64 * 1024\n{field.format(default)}"))}

    assert "memory" not in names("65536") and "memory" in names("1024")


def test_a_product_of_numbers_is_one_number_with_its_unit() -> None:
    assert [level_of(text) for text in ("6 * 60 * 60", "2 * 5 * time.Minute", "64 * size")] == [21_600, 600, 64]


def test_a_setting_that_is_put_by_name_is_one() -> None:
    before, after = ['config.put("max.poll.records", 500);'], ['config.put("max.poll.records", 5000);']

    assert changed("Defaults.java", before, after) == [("max.poll.records", "500", "5000")]


def test_a_setting_whose_value_is_passed_on_by_its_place_has_not_changed() -> None:
    removed = ["	PoolSize:    40,", "	DialTimeout: 2 * time.Second,"]

    assert changed("store.go", removed, ["rdb := redisx.New(cfg.Addr, 40, 2*time.Second)"]) == []
    assert changed("store.go", removed, ["rdb := redisx.New(cfg.Addr, 4, 2*time.Second)"]) == [("PoolSize", "40", "")]


def test_an_address_with_a_port_is_the_value_of_its_key() -> None:
    assert changed("cart.yaml", ["  addr: cart-store:6379"], ["  addr: cart-store:6739"]) == [
        ("addr", "cart-store:6379", "cart-store:6739")
    ]


def test_a_bound_that_is_gone_is_told_in_code_too() -> None:
    assert changed("dial.go", ["const maxRecvBytes = 64 << 20"], []) == [("maxRecvBytes", "64", "")]
    assert changed("dial.go", ["size := 64"], []) == []


def test_a_value_that_is_computed_now_is_not_one_that_was_taken_away() -> None:
    assert changed("redis.ts", ["connectTimeout: 2000,"], ["connectTimeout: Number(env.TIMEOUT),"]) == []


def test_schedules_times_sizes_and_grouped_digits_have_levels_that_can_be_compared() -> None:
    assert level_of('"15 4 * * *"') == 86400 and level_of('"*/5 * * * *"') == 300 and level_of("0 * * * *") == 3600
    assert level_of("250m", "resources.cpu") == 0.25 and level_of("250m") == 250 * 60
    assert (level_of("20_000"), level_of("minute"), level_of("250ms")) == (20000, 60, 0.25)


def test_a_setting_that_one_file_loses_and_another_sets_alike_has_moved() -> None:
    gone = list(settings_of(Patch("client.ts", ("post(body, { retries: 3, baseMs: 500 });",), ())))
    same = list(settings_of(Patch("retry.ts", (), ("const RETRY = { retries: 3, baseMs: 500 };",))))
    fewer = list(settings_of(Patch("retry.ts", (), ("const RETRY = { retries: 1, baseMs: 500 };",))))

    assert without_moved([*gone, *same]) == []
    assert [(effect.before, effect.after) for effect in without_moved([*gone, *fewer])] == [("3", ""), ("", "1")]


def test_a_directive_without_a_sign_between_is_a_setting_of_configuration_alone() -> None:
    assert changed("haproxy.cfg", ["  timeout server 50s"], ["  timeout server 5s"]) == [("timeout server", "50s", "5s")]
    assert changed("main.go", ["  timeout server 50s"], ["  timeout server 5s"]) == []


def test_a_variable_with_the_same_default_leaves_a_setting_as_it_was() -> None:
    assert changed("application.yml", ["  maximum-pool-size: 40"], ["  maximum-pool-size: ${DB_POOL_MAX:40}"]) == []
    assert changed("application.yml", ["  maximum-pool-size: 40"], ["  maximum-pool-size: ${DB_POOL_MAX:-1}"]) == [
        ("maximum-pool-size", "40", "-1")
    ]
    assert changed("deploy/values.yaml", ["  poolSize: 40"], ["  poolSize: ${DB_POOL_MAX:-40}"]) == []
    assert changed("deploy/values.yaml", ["  poolSize: 40"], ["  poolSize: ${DB_POOL_MAX:?must be set}"])[0][2].startswith("$")
