"""What tools without a kind of their own send as an alert fires and as it ends, and what each of them is about."""

from typing import Any, NamedTuple

Body = dict[str, Any]


class Recovery(NamedTuple):
    """The two bodies of one alert, its title, and its host and service ("": none)."""

    tool: str
    firing: Body
    ended: Body
    title: str
    host: str = ""
    service: str = ""


def kuma(state: str, name: str = "Shop Login", **monitor: Any) -> Body:
    """Uptime Kuma; its first state is down and 0."""
    word = {"down": "[🔴 Down]", "up": "[✅ Up]"}[state]
    return {
        "heartbeat": {"monitorID": 7, "status": int(state == "up"), "time": "2026-11-24 23:04:50.123", "msg": "HTTP"},
        "monitor": {
            "id": 7, "name": name, "pathName": name, "url": "https://shop.example.com/login", "hostname": None, "type": "http",
            "interval": 60, "dns_resolve_type": "A", "dns_resolve_server": "1.1.1.1", "tags": [], **monitor,
        },
        "msg": f"[{name}] {word} HTTP",
    }  # fmt: skip


TAG = {"tag_id": 1, "monitor_id": 7, "value": "login", "name": "service", "color": "#059669"}
RECOVERIES = [
    Recovery("uptime kuma", kuma("down", tags=[TAG]), kuma("up", tags=[TAG]), "Shop Login", service="login"),
    Recovery("uptime kuma, no tag", kuma("down"), kuma("up"), "Shop Login"),
]
