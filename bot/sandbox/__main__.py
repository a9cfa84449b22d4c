"""`python -m bot.sandbox`: Slack's stand-in and a small world that breaks, on this machine only."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from bot.sandbox.app import MountedWorld, build
from bot.sandbox.workspace.feed import Feed
from bot.sandbox.workspace.state import Workspace

IDLE_SECONDS = 75
"""Longer than those who call keep a resting connection: if we close first, a request is cut off. Slack closes late, too."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Start one process that serves both, and print one JSON line with the addresses when it is ready."""
    options = _parse(arguments)
    # A fixed pair of tokens lets the bot be configured before the sandbox is up; they open nothing but this process.
    ws = Workspace(bot_token=options.bot_token, app_token=options.app_token, signing_secret=options.signing_secret)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, options.port)
        ws.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        world = None if options.no_world else _world(options, ws)
        app = build(ws, bot_url=options.bot, kill_file=options.kill_file, world=world)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=IDLE_SECONDS,
            lifespan="on",
        )
        ready = json.dumps(_addresses(ws) | ({"environment": world.environment} if world else {}))
        asyncio.run(_serve(Server(config, ws.feed), listener, ready))


def _bind(listener: socket.socket, port: int) -> None:
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        raise SystemExit(f"port {port} cannot be had: {error}") from None


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="draws services and fault of the world")
    parser.add_argument("--fault", default="", help="which fault, instead of one drawn by the seed")
    parser.add_argument("--service", default="", help="where the fault strikes")
    parser.add_argument(
        "--onset-ago", type=float, default=100.0, metavar="SECONDS", help="how long the fault has been standing"
    )
    parser.add_argument("--dir", type=Path, help="write the shop's tocsin.yaml and runbooks there")
    parser.add_argument("--bot", default="", metavar="URL", help="the bot's address, for HTTP mode")
    parser.add_argument("--no-world", action="store_true", help="Slack's stand-in alone")
    parser.add_argument(
        "--kill-file", "--supervised-pid-file", type=Path, help="a file with the bot's pid; allows /_sandbox/kill"
    )
    parser.add_argument("--bot-token", default="xoxb-sandbox-0-bot")
    parser.add_argument("--app-token", default="xapp-sandbox-0-app")
    parser.add_argument("--signing-secret", default=secrets.token_hex(16))
    return parser.parse_args(arguments)


def _world(options: argparse.Namespace, ws: Workspace) -> MountedWorld:
    """The shop that breaks; with `--dir` also what a team that runs it would have: tocsin.yaml and runbooks."""
    # Imported late: the world needs numpy, the workspace does not.
    from bot.sandbox.world.app import world_routes
    from bot.sandbox.world.life import Life
    from bot.sandbox.world.model import World

    world = World(options.seed, fault=options.fault, service=options.service, onset_ago=options.onset_ago, base_url=ws.base_url)
    life = Life(world)
    environment = {}
    if options.dir:
        people = {person.name: person.id for person in ws.people.values() if not person.is_bot}
        environment = world.write_configuration(options.dir, ws.base_url, people=people)
    return MountedWorld(world_routes(world, life), life.stop, environment)


def _addresses(ws: Workspace) -> dict[str, object]:
    return {
        "slack": f"{ws.base_url}/api/",
        "page": f"{ws.base_url}/",
        "control": f"{ws.base_url}/_sandbox",
        "world": f"{ws.base_url}/world",
        "bot_token": ws.bot_token,
        "app_token": ws.app_token,
        "signing_secret": ws.signing_secret,
    }


class Server(uvicorn.Server):
    """Ends the page's streams before it waits for open requests, which they would never let end."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the streams go, then shut down."""
        self._feed.close()
        await super().shutdown(sockets)


async def _serve(server: uvicorn.Server, listener: socket.socket, ready: str) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    if server.started:
        print(ready, flush=True)
    await serving


if __name__ == "__main__":
    main()
