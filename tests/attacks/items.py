"""Items of the attack corpus: JSONL, one object a line; payloads may be cut into parts, encoded or told by a rule."""

import base64
import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ALLOWED_HOSTS = ("grafana.internal.example", "prometheus.internal.example", "runbooks.internal.example")
_HOST = re.compile(r"(?i)\b(?:[a-z0-9-]+\.)+(?:example|test|invalid|com|net|org|io)\b|\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b")


@dataclass(frozen=True)
class Item:
    """One attack, or one harmless look-alike."""

    id: str
    category: str
    channel: str
    field: str
    technique: str
    detail: str
    must_not: tuple[str, ...]
    literal_text: str
    """The payload as the file holds it; "" where a rule tells it."""
    canary: str
    rule: dict[str, Any]
    control: bool
    source: str = ""
    """The kind of sender whose body it is, or the part of Slack that sends it."""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    raw: bytes = b""
    """The body as it is sent."""
    steps: tuple[str, ...] = ()
    """What is sent in which order, in words."""

    @cached_property
    def text(self) -> str:
        """The payload; of a rule that makes no text, "". Made when it is asked for: some have millions of characters."""
        return self.literal_text or expanded(self.rule)

    def __getstate__(self) -> dict[str, Any]:
        """Without the payload that was made of a rule: processes hand each other items, and make it again."""
        return {name: value for name, value in vars(self).items() if name != "text"}

    @property
    def hosts(self) -> set[str]:
        """The attacker's hosts: all that stand in the payload, its decoded forms or the detail, and are not allowed."""
        found = {
            host.lower() for text in (self.text[:20_000], *decoded(self.text), self.detail) for host in _HOST.findall(text)
        }
        return found - set(ALLOWED_HOSTS)


def read_items(data: Path) -> list[Item]:
    """Every item of a folder's JSONL files, or of one file."""
    files = [data] if data.is_file() else sorted(data.glob("*.jsonl"))
    rows = [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    # What people do step by step is told in a form of its own (steps/); a sender's steps are played here.
    return [_item(row) for row in rows if "steps" not in row or row.get("category") == "replay"]


def _item(row: dict[str, Any]) -> Item:
    rule = row.get("payload_rule") or {}
    return Item(
        id=row["id"],
        category=row["category"],
        channel=row["channel"],
        field=row.get("field", ""),
        technique=row.get("technique", ""),
        detail=row.get("detail", ""),
        must_not=tuple(row.get("must_not", ())),
        literal_text="" if rule else _text(row),
        canary="".join(row.get("canary_parts", ())),
        rule=rule,
        control=bool(row.get("control")),
        source=row.get("source", ""),
        headers=row.get("headers", {}),
        raw=_raw(row),
        steps=tuple(row.get("steps", ())),
    )


def _raw(row: dict[str, Any]) -> bytes:
    return base64.b64decode(row["payload_base64"]) if "payload_base64" in row else _text(row).encode()


def _text(row: dict[str, Any]) -> str:
    if "payload_base64" in row:
        return base64.b64decode(row["payload_base64"]).decode("utf-8", "replace")
    return str(row["payload"]) if "payload" in row else "".join(row.get("payload_parts", ()))


def expanded(rule: dict[str, Any]) -> str:
    """The text of a rule that tells one; "" for rules about bodies and servers."""
    count = int(rule.get("count", 0))
    match rule.get("rule"):
        case "repeat":
            unit = rule["unit"]
            return "".join(unit.replace("{i}", str(i)) for i in range(count)) if "{i}" in unit else unit * count
        case "repeat_raw":
            return f"{rule['prefix']}{rule['unit'] * count}{rule['suffix']}"
        case "lines":
            return "\n".join(rule["line"].replace("{i}", str(i)) for i in range(count))
        case "nest_json":
            return str(rule["open"] * rule["depth"] + rule.get("core", "") + rule["close"] * rule["depth"])
    return ""


def decoded(text: str) -> Iterable[str]:
    """What a reader who obeys makes of hidden text: Base64 words, and the text without invisible characters."""
    for word in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text[:20_000]):
        try:
            yield base64.b64decode(word + "=" * (-len(word) % 4)).decode()
        except ValueError:
            continue
    yield re.sub(r"[\u200b-\u200f\u2060\ufeff\U000e0000-\U000e01ef]", "", text[:20_000])
