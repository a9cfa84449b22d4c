"""The health of a real PostgreSQL: locks, long transactions and slow queries are seen, and nothing can be written."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from bot.core.config.systems import PostgresConfig
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.evidence import Evidence
from bot.monitoring.systems.postgres import PostgresServers
from tests.real import wait_until
from tests.unit.tools.tool_fixture import call_tool, context

BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 AND datname = current_database()"


class Shop:
    """A database with a table of orders, and a role that may read statistics alone."""

    def __init__(self, url: str) -> None:
        self.url, parts = url, urlsplit(url)
        self.place: dict[str, Any] = {"host": parts.hostname, "port": parts.port, "database": parts.path[1:]}
        self.role = f"reader_{parts.path[1:]}"
        with self.session() as owner:
            owner.execute("CREATE TABLE orders (id int PRIMARY KEY, card text)")
            owner.execute("INSERT INTO orders SELECT n, 'card' FROM generate_series(1, 100) n")
            owner.execute(f"CREATE ROLE {self.role} LOGIN IN ROLE pg_monitor")
            owner.execute(f"CREATE ROLE {self.role}_bare LOGIN")

    @contextmanager
    def session(self, name: str = "shop") -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.url, application_name=name, autocommit=True) as connection:
            yield connection

    def servers(self, user: str = "", **values: Any) -> PostgresServers:
        fields = {**self.place, "user": user or self.role, "services": ("checkout",), **values}
        return PostgresServers({"orders": PostgresConfig.model_validate(fields)})

    async def read(self, servers: PostgresServers | None = None, **arguments: Any) -> Evidence:
        return await call_tool("database_health", context(databases=servers or self.servers()), **arguments)

    def drop(self) -> None:
        with self.session() as owner:
            owner.execute(f"DROP OWNED BY {self.role}")
            owner.execute(f"DROP ROLE {self.role}")
            owner.execute(f"DROP ROLE {self.role}_bare")


@pytest.fixture
async def shop(postgres_url: str) -> AsyncIterator[Shop]:
    shop = Shop(postgres_url)
    yield shop
    shop.drop()


async def test_a_healthy_database_says_so_and_names_what_was_read(shop: Shop) -> None:
    found = await shop.read()

    assert found.summary.startswith("database orders: no lock waits, no long transaction, no replication lag; ")
    assert found.facts.problems == () and found.unseen == () and found.details[0].startswith("PostgreSQL ")


async def test_who_waits_for_whose_lock_is_seen_without_the_values_of_the_query(shop: Shop) -> None:
    update = "UPDATE orders SET card = '4111 1111 1111 1111' WHERE id = 7"
    async with await psycopg.AsyncConnection.connect(shop.url, application_name="waiter") as waiter:
        with shop.session("holder") as holder:
            pid = holder.info.backend_pid
            holder.execute("BEGIN")
            holder.execute(update)
            waiting = asyncio.create_task(waiter.execute(update))
            await wait_until(lambda: holder.execute(BLOCKED).fetchone()[0])  # type: ignore[index]
            found = await shop.read()
            holder.execute("ROLLBACK")
            await waiting

    (blocked,) = [line for line in found.details if line.startswith("pid") and "waiter" in line]
    assert f"waits for Lock: transactionid, blocked by pid {pid}: UPDATE orders SET card = ? WHERE id = ?" in blocked
    assert "4111" not in "\n".join(found.details)


async def test_a_superuser_is_refused_whatever_it_could_read(shop: Shop) -> None:
    with pytest.raises(QueryFailed, match="is a superuser"):
        await shop.read(shop.servers(user="app"))
    assert (await shop.servers(user="app").check("orders")).state == "failed"


async def test_a_role_that_may_not_see_others_queries_says_what_is_missing(shop: Shop) -> None:
    found = await shop.read(shop.servers(user=f"{shop.role}_bare"))

    assert any("no member of pg_monitor" in line for line in found.unseen)
    assert "no lock waits" not in found.summary and "no replication lag" not in found.summary
    assert found.summary.endswith(" connections; sessions of other roles could not be read")
    assert (await shop.servers().check("orders")).state == "ok"


async def test_nothing_can_be_written_in_its_session_and_no_query_lasts(shop: Shop) -> None:
    servers: Any = shop.servers()
    with shop.session() as owner:
        owner.execute(f"GRANT ALL ON orders TO {shop.role}")
    async with await servers._connect("orders", servers._servers["orders"]) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await connection.execute("DELETE FROM public.orders")
        await connection.rollback()
        with pytest.raises(psycopg.errors.QueryCanceled):
            await connection.execute("SELECT pg_sleep(30)")


async def test_an_unknown_database_and_a_server_that_is_away_could_not_be_checked(shop: Shop) -> None:
    with pytest.raises(InvalidQuery, match="orders"):
        await shop.read(database="payroll")
    with pytest.raises(QueryFailed, match="cannot be queried"):
        await shop.read(shop.servers(port=1))


async def test_the_database_of_a_service_is_meant_by_the_services_name(shop: Shop) -> None:
    assert (await shop.read(database="checkout")).summary.startswith("database orders: ")
