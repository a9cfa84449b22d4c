"""What somebody with the database's password does past the bot: the act `db`."""

import json
from typing import Any

from bot.core.approvals.canonical_record import plan_fingerprint
from tests.attacks.steps.items import Step, Unplayable
from tests.attacks.steps.names import AUDIT_COLUMNS, TABLES, sql_of_kind
from tests.attacks.steps.records import Records, Row, one_of, parsed
from tests.attacks.steps.world import World

Json = dict[str, Any]
_KEYS = {
    "proposals": "id",
    "decisions": "id",
    "claims": "proposal_id",
    "attempts": "proposal_id",
    "incidents": "id",
    "audit": "seq",
}
_OF = {**_KEYS, "decisions": "proposal_id"}
"""The column that says whose row it is."""
_NUMBERED = {"decisions": "id", "audit": "seq"}
TRIGGER = "inserts_fail"


class DatabaseActs:
    """Changes rows, cuts the audit, makes inserts fail, and takes writing away."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def db(self, step: Step, **args: Any) -> None:
        if args.keys() == {"read_only"}:
            await self._read_only(bool(args["read_only"]))
        elif args.keys() == {"table", "fail_insert"} and args["table"] == "audit":
            _fail_inserts(self.world.records, self._condition(args["fail_insert"]))
        elif args.keys() == {"snapshot"}:
            self.world.records.save(args["snapshot"])
        elif args.keys() == {"restore", "tables"}:
            self.world.records.bring_back(args["restore"], args["tables"])
            self.world.rewritten = True
        else:
            self._touch(step, **args)

    async def _read_only(self, on: bool) -> None:
        self.world.away = on
        if self.world.records.postgres:
            name = self.world.database.rsplit("/", 1)[1]
            self.world.records.change(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {str(on).lower()}')
            self.world.records.rows(
                "SELECT pg_terminate_backend(pid) AS n FROM pg_stat_activity WHERE datname = ? AND pid <> pg_backend_pid()",
                name,
            )
        for replica in self.world.replicas.values():
            await replica.forbid_writing(on)

    def _touch(
        self,
        step: Step,
        *,
        table: str,
        where: Json,
        set: Json | None = None,
        delete: bool = False,
        copy_to: str = "",
        recompute_digest: bool = False,
    ) -> None:
        if table not in TABLES or (set is not None) + delete + bool(copy_to) != 1:
            raise Unplayable(f"db: unknown table {table!r}, or not one of set, delete and copy_to")
        key, chosen = _KEYS[table], self._chosen(table, **where)
        self.world.rewritten |= table == "proposals" and "state" in (set or {})
        if not chosen:
            raise Unplayable(f"db: no row of {table} where {where}")
        for row in chosen:
            if copy_to:
                self.world.records.insert(table, self._copy(table, row, copy_to))
            elif delete:
                self.world.records.change(f"DELETE FROM {table} WHERE {key} = ?", row[key])
            else:
                _change(self.world.records, table, row, self.world.resolved(set), recompute_digest=recompute_digest)
        if step.label:
            self.world.rows[step.label] = one_of(chosen, table)[key]

    def _chosen(self, table: str, *, of: str = "", kind: str = "", last: int = 0, nth_last: int = 0) -> list[Row]:
        key, records = _KEYS[table], self.world.records
        if last or nth_last:
            newest = records.rows(f"SELECT * FROM {table} ORDER BY {key} DESC LIMIT ?", last or nth_last)
            return newest if last else newest[nth_last - 1 :]
        subject = self.world.incident if of == "INC" else self.world.group if of == "AL" else self.world.taken(of)
        if table == "audit":
            query, pattern = "SELECT * FROM audit WHERE subject = ?", sql_of_kind(kind) if kind else "%"
            return records.rows(f"{query} AND what LIKE ? ORDER BY seq", subject, pattern)
        return records.rows(f"SELECT * FROM {table} WHERE {_OF[table]} = ?", int(subject.rpartition("-")[2]))

    def _copy(self, table: str, row: Row, label: str) -> Row:
        """The row once more, as if it were about this proposal."""
        ref = self.world.taken(label)
        fresh = {column: value for column, value in row.items() if column != _NUMBERED.get(table)}
        return fresh | ({"subject": ref} if table == "audit" else {_OF[table]: int(ref[3:])})

    def _condition(self, rows: Json | None) -> str:
        """Which audit rows cannot be inserted, as a condition on NEW; "" for none."""
        if rows is None:
            return ""
        parts = []
        for name, value in rows.items():
            text = str(self.world.resolved(value)).replace("'", "''")
            if name == "of":
                subject = self.world.incident if value == "INC" else self.world.taken(value)
                parts.append(f"NEW.subject = '{subject}'")
            elif name == "kind":
                parts.append(f"NEW.what LIKE '{sql_of_kind(value)}'")
            elif name == "who":
                parts.append(f"NEW.who IN ('{self.world.person(value)}', '{self.world.slack.user(value)}')")
            elif name in AUDIT_COLUMNS or name in ("what", "after", "before", "subject", "reason"):
                parts.append(f"NEW.{AUDIT_COLUMNS.get(name, name)} = '{text}'")
            else:
                raise Unplayable(f"db: unknown column {name!r} of audit")
        return " AND ".join(parts)


def _change(records: Records, table: str, row: Row, changes: Json, *, recompute_digest: bool) -> None:
    key, values = _KEYS[table], Json()
    for path, value in changes.items():
        column, *inner = path.split(".")
        if column not in row:
            raise Unplayable(f"db: {table} has no column {column!r}")
        values[column] = _set_in(values.get(column, parsed(row[column])), inner, value) if inner else value
    if recompute_digest:
        values["digest"] = plan_fingerprint(values.get("record", parsed(row["record"])))
    for column, value in values.items():
        stored = json.dumps(value) if isinstance(value, dict | list) else value
        cast = "?::json" if records.postgres and isinstance(value, dict | list) else "?"
        records.change(f"UPDATE {table} SET {column} = {cast} WHERE {key} = ?", stored, row[key])


def _set_in(value: Any, path: list[str], new: Any) -> Any:
    """`value` with the place at this path replaced. Raises Unplayable for a path that leads nowhere."""
    if not path:
        return new
    if not isinstance(value, dict) or path[0] not in value:
        raise Unplayable(f"db: no {'.'.join(path)} in the record")
    return {**value, path[0]: _set_in(value[path[0]], path[1:], new)}


def _fail_inserts(records: Records, condition: str) -> None:
    if records.postgres:
        records.change(f"DROP TRIGGER IF EXISTS {TRIGGER} ON audit")
        if condition:
            body = f"BEGIN IF {condition} THEN RAISE EXCEPTION 'no such rows now'; END IF; RETURN NEW; END"
            records.change(f"CREATE OR REPLACE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
            records.change(f"CREATE TRIGGER {TRIGGER} BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()")
        return
    records.change(f"DROP TRIGGER IF EXISTS {TRIGGER}")
    if condition:
        raising = "SELECT RAISE(ABORT, 'no such rows now')"
        records.change(f"CREATE TRIGGER {TRIGGER} BEFORE INSERT ON audit WHEN {condition} BEGIN {raising}; END")
