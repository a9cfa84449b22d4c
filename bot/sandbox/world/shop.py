"""The shop: twelve services, who calls whom and how often, and the outside providers they need."""

from collections.abc import Mapping
from dataclasses import dataclass

NAMESPACE = "shop"
CLUSTER = "shop-eu1"


@dataclass(frozen=True)
class Call:
    """One edge of the graph: `per_request` calls to `callee` for each request of the caller.

    `weight` is the share of failed calls that fail the caller's request too; the
    rest is hidden by a fallback (an empty box of recommendations hurts nobody).
    """

    callee: str
    per_request: float
    weight: float = 1.0


@dataclass(frozen=True)
class Provider:
    """A third party that one service calls; nobody here can repair it."""

    name: str
    per_request: float
    weight: float
    seconds: float


@dataclass(frozen=True)
class ServiceSpec:
    """What one service is like on a good day."""

    name: str
    replicas: int
    version: str
    seconds: float
    """Median time of its own work, without what it waits for."""
    calls: tuple[Call, ...] = ()
    provider: Provider | None = None
    queue: str = ""
    memory_mib: int = 220
    limit_mib: int = 512
    pool: int = 0
    """Database connections a pod may hold; 0: no database."""
    words: str = ""
    """What it does, for log lines and change titles."""


SERVICES: tuple[ServiceSpec, ...] = (
    ServiceSpec(
        "storefront", 4, "3.18.2", 0.018,
        (Call("catalogue", 0.8), Call("search", 0.5, 0.9), Call("cart", 0.5, 0.9), Call("checkout", 0.35),
         Call("auth", 0.6), Call("recommendations", 0.6, 0.35)),
        memory_mib=310, words="page rendering",
    ),
    ServiceSpec(
        "checkout", 3, "2.7.4", 0.016,
        (Call("payments", 1.0), Call("cart", 1.0), Call("inventory", 1.0), Call("shipping", 0.6, 0.9),
         Call("auth", 0.8), Call("orders-db", 1.2), Call("notifications", 0.4, 0.3)),
        memory_mib=280, pool=20, words="order placement",
    ),
    ServiceSpec(
        "payments", 3, "1.31.0", 0.022, (Call("orders-db", 0.6), Call("auth", 0.4)),
        provider=Provider("cardpay.example", 1.0, 1.0, 0.045), pool=20, words="card authorisation",
    ),
    ServiceSpec(
        "cart", 3, "4.2.9", 0.007, (Call("catalogue", 0.6, 0.8), Call("inventory", 0.8, 0.9), Call("auth", 0.5)),
        words="basket pricing",
    ),
    ServiceSpec(
        "catalogue", 4, "5.0.3", 0.010, (Call("inventory", 0.5, 0.9),), memory_mib=360, limit_mib=768, words="product pages"
    ),
    ServiceSpec(
        "search", 3, "2.3.1", 0.024, (Call("catalogue", 0.6, 0.8),), memory_mib=410, limit_mib=1024, words="full text search"
    ),
    ServiceSpec("auth", 3, "1.12.6", 0.005, words="session checks"),
    ServiceSpec("inventory", 3, "3.4.0", 0.008, (Call("orders-db", 1.0),), pool=20, words="stock levels"),
    ServiceSpec(
        "shipping", 2, "1.9.5", 0.012, (Call("orders-db", 0.5), Call("inventory", 0.3)),
        provider=Provider("parcelnet.example", 0.9, 1.0, 0.050), queue="labels", pool=20, words="delivery quotes",
    ),
    ServiceSpec(
        "notifications", 2, "2.0.8", 0.009, (Call("auth", 0.2),),
        provider=Provider("mailrelay.example", 0.5, 0.8, 0.030), queue="mails", words="order mails",
    ),
    ServiceSpec(
        "recommendations", 2, "0.22.1", 0.020, (Call("catalogue", 0.8, 0.9),), memory_mib=430, limit_mib=1024, words="ranking"
    ),
    ServiceSpec("orders-db", 2, "15.8.2", 0.003, memory_mib=900, limit_mib=2048, words="query proxy of the orders database"),
)  # fmt: skip

USER_FACING = ("storefront", "checkout")
ENTRY = "storefront"
ENTRY_RPS = 160.0
"""Mean requests a second that reach the storefront."""


class Shop:
    """The graph with the look-ups that physics and scenarios need."""

    def __init__(self, services: tuple[ServiceSpec, ...] = SERVICES) -> None:
        self.services: Mapping[str, ServiceSpec] = {service.name: service for service in services}
        self.callers_first: tuple[str, ...] = self._order()

    def __getitem__(self, name: str) -> ServiceSpec:
        return self.services[name]

    def edges(self) -> list[tuple[str, Call]]:
        """Every (caller, call)."""
        return [(s.name, call) for s in self.services.values() for call in s.calls]

    def callers(self, name: str) -> tuple[str, ...]:
        """Who calls `name` directly."""
        return tuple(caller for caller, call in self.edges() if call.callee == name)

    def upstream(self, name: str) -> tuple[str, ...]:
        """`name` and everybody who feels it, nearest first."""
        reached = [name]
        for service in reached:
            reached += [caller for caller in self.callers(service) if caller not in reached]
        return tuple(reached)

    def _order(self) -> tuple[str, ...]:
        placed: list[str] = []
        while len(placed) < len(self.services):
            ready = [n for n in self.services if n not in placed and all(c in placed for c in self.callers(n))]
            if not ready:
                raise ValueError("the service graph has a cycle")
            placed += ready
        return tuple(placed)
