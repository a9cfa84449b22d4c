"""Watches what this process does to the outside: addresses resolved and connected to, processes started, files opened.

Python's audit hook sees all of it, whichever library asks. Loopback ports of our own servers are no outside.
"""

import re
import sys
from dataclasses import dataclass, field
from typing import Any

_FORBIDDEN_FILES = re.compile(r"^/(?:etc/(?:passwd|shadow)|proc/[^/]+/environ|var/run/docker)|secret\.md$|/\.(?:ssh|aws|kube)/")


@dataclass
class Watch:
    """`start()` once; `seen` are sentences about what should not have happened."""

    ours: set[int] = field(default_factory=set)
    """Loopback ports that belong to the stage."""
    seen: list[str] = field(default_factory=list)
    on: bool = False
    _hooked: bool = False

    def start(self) -> None:
        """Begin to watch. A hook cannot be taken away, only told to look elsewhere."""
        if not self._hooked:
            sys.addaudithook(self._see)
            self._hooked = True
        self.on = True

    def stop(self) -> None:
        self.on = False

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or event not in _SEEN:
            return
        if event == "socket.connect":
            self._connected(arguments[1])
        elif event == "socket.getaddrinfo":
            host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
            if host not in ("127.0.0.1", "localhost", "::1", "None"):
                self.seen.append(f"resolved {host}")
        elif event == "open":
            if isinstance(arguments[0], str) and _FORBIDDEN_FILES.search(arguments[0]):
                self.seen.append(f"opened {arguments[0]}")
        elif arguments[0] != "uname":  # Python's own platform.uname() asks for the processor
            self.seen.append(f"{event} {str(arguments)[:120]}")

    def _connected(self, address: Any) -> None:
        if isinstance(address, tuple) and address[0] in ("127.0.0.1", "::1") and address[1] in self.ours:
            return
        self.seen.append(f"connected to {address}")


_SEEN = frozenset(
    ("socket.connect", "socket.getaddrinfo", "open", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
)
