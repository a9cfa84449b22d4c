"""Whoever may not read an incident asks for it in every way that Slack offers; the twin asks the same and may.

The bot is really served. An incident of a private channel and one of a public channel stand there, each with a word that is
nowhere else: whoever may not read it must not be shown that word. Nor does an alert come on a card that others read because
something ties it to what stands there (tests/attacks/grouped.py), or because its own channel refuses it
(tests/attacks/refused.py).
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import httpx

from tests.attacks import grouped, refused
from tests.attacks.attempts import attempted
from tests.attacks.items import Item
from tests.attacks.scene import Outcome, Played
from tests.attacks.sender import now
from tests.attacks.served import SOURCES, bearer, served
from tests.real.bot import Bot
from tests.real.slack import Slack

SECRET, OPEN = "C0SECRET01", "C0OPEN0001"
ELSEWHERE, SHARED = "C0ELSE0001", "C0SHARED01"
WORD = {"AL-1": "Zyxelhavn", "AL-2": "Quabblestone", "AL-3": "Ombrellino"}
"""By which each group is known again: AL-1 is of a private channel, AL-2 of a public one, AL-3 of a private incident there."""
PEOPLE: dict[str, dict[str, Any]] = {
    "insider": {"id": "U0INSIDER1"},
    "member": {"id": "U0MEMBER01"},
    "guest": {"id": "U0GUEST001", "is_guest": True},
    "stranger": {"id": "U0STRANGE1", "team": "T0ELSEWHERE"},
    "gone": {"id": "U0DELETED1", "deleted": True},
    "outsider": {"id": "U0OUTSIDE1"},
}
MEMBERS = {SECRET: ["insider"], OPEN: ["insider", "member"], ELSEWHERE: list(PEOPLE), SHARED: ["insider", "member", "stranger"]}
ANSWER_SECONDS = 30.0
QUIET_SECONDS = 1.0
CONFIG: dict[str, Any] = {
    "default_channel": OPEN,
    "sources": SOURCES,
    "people": {"insider": {"slack": "U0INSIDER1"}, "member": {"slack": "U0MEMBER01"}},
    "services": {
        "ledger": {"channel": SECRET},
        "shop": {"channel": OPEN},
        "vault": {"channel": OPEN, "owners": ["insider"]},
        **grouped.services(OPEN, SECRET, ELSEWHERE),
        **refused.services(),
    },
}


def play(items: Sequence[Item]) -> Played:
    """Play them all against one bot."""
    return asyncio.run(_play(items))


async def _play(items: Sequence[Item]) -> Played:
    began = time.monotonic()
    outcomes: list[Outcome] = []
    async with served(CONFIG, furnish=_furnish) as bot:
        await _begin(bot)
        for item in items:
            outcomes.append(await attempted(item, _asked(bot, item)))
            outcomes.append(await attempted(item, _twin(bot, item), twin=True))
    return Played({"reading": outcomes}, time.monotonic() - began)


async def _asked(bot: Bot, item: Item) -> list[str]:
    if item.rule["rule"] == "grouped":
        return await grouped.leaked(bot, item, PEOPLE["member"]["id"], [OPEN, ELSEWHERE, SHARED])
    if item.rule["rule"] == "refused":
        return await refused.leaked(bot, item, PEOPLE[refused.CALLED]["id"], [OPEN, ELSEWHERE, SHARED])
    shown = await _shown(bot, item, str(item.rule["who"]), str(item.rule.get("by", "")))
    print(f"{item.id} {item.technique}: {len(shown)} characters shown", file=sys.stderr, flush=True)
    return _leaked(item, shown)


async def _twin(bot: Bot, item: Item) -> list[str]:
    if item.rule["rule"] == "grouped":
        return await grouped.kept_apart(bot, item, PEOPLE["member"]["id"], OPEN)
    if item.rule["rule"] == "refused":
        return await refused.shown_whole(bot, item, OPEN)
    word = WORD[str(item.rule.get("about", "AL-1"))]
    if item.rule.get("silent"):
        await _shown(bot, item, "insider")
        return []
    genuine = await _shown(bot, item, "insider", awaited=word)
    return [] if word in genuine else [f"an insider is not shown {word}: {genuine[:200]}"]


def _furnish(slack: Slack) -> None:
    slack.post("limits", {"enabled": False})
    slack.post("people", [{"name": name, **account} for name, account in PEOPLE.items()])
    refused.furnish(slack, [PEOPLE["insider"]["id"]])
    for channel, names in MEMBERS.items():
        more = {"private": channel == SECRET, "shared": channel == SHARED}
        members = [PEOPLE[name]["id"] for name in names]
        slack.post("channels", [{"id": channel, "name": channel.lower(), "members": members, "bot": True, **more}])


async def _begin(bot: Bot) -> None:
    for ref, service in (("AL-1", "ledger"), ("AL-2", "shop"), ("AL-3", "vault")):
        labels = {"alertname": WORD[ref], "service": service, "severity": "critical"}
        body = {"alerts": [{"status": "firing", "labels": labels, "startsAt": now()}]}
        async with httpx.AsyncClient(base_url=bot.url, trust_env=False) as client:
            await client.post("/alerts/prod", json=body, headers=bearer("prod"))
        await asyncio.to_thread(bot.slack.wait, "card:", WORD[ref])
    command = {"command": "/incident", "text": "private AL-3", "channel": OPEN}
    await asyncio.to_thread(partial(bot.slack.act, PEOPLE["insider"]["id"], command=command))
    await asyncio.to_thread(bot.slack.wait, "card:", "private: for members of this channel")


def _leaked(item: Item, shown: str) -> list[str]:
    hidden = item.rule.get("hidden", ["AL-1"])
    words = [WORD[ref] for ref in hidden if WORD[ref] in shown]
    return [f"NO_FOREIGN_POST: {item.rule['who']} is shown {word}: {_around(word, shown)}" for word in words]


def _around(word: str, shown: str) -> str:
    at = shown.index(word)
    return shown[max(0, at - 100) : at + 100]


async def _shown(bot: Bot, item: Item, who: str, by: str = "", awaited: str = "") -> str:
    """Everything that comes before this person's eyes because of it, and what appears in the channel where it was said.

    `by`: who says it, if another does. `awaited`: a word that comes later than the first answer, on a busy machine much later.
    """
    user, speaker, rule = PEOPLE[who]["id"], PEOPLE[by or who]["id"], item.rule
    channel = {"secret": SECRET, "open": OPEN, "elsewhere": ELSEWHERE, "shared": SHARED}.get(str(rule.get("where")), "")
    before, unanswered = [await asyncio.to_thread(_seen, bot, one, channel) for one in (user, speaker)]
    await asyncio.to_thread(_do, bot, speaker, channel, str(rule["text"]), str(rule.get("way", "slash")))
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline and await asyncio.to_thread(_seen, bot, speaker, channel) == unanswered:
        await asyncio.sleep(0.1)
    await asyncio.sleep(QUIET_SECONDS)
    while awaited not in (shown := await asyncio.to_thread(_new, bot, user, channel, before)) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return shown


def _do(bot: Bot, user: str, channel: str, text: str, way: str) -> None:
    ways: dict[str, dict[str, Any]] = {
        "slash": {"command": {"command": "/incident", "text": text, "channel": channel}},
        "mention": {"mention": {"text": text, "channel": channel}},
        "direct": {"type": {"text": text, "channel": _direct(bot, user)}},
        "home": {"home": {}},
    }
    bot.slack.act(user, **ways[way])


def _direct(bot: Bot, user: str) -> str:
    """The direct conversation between somebody and the bot; looking at the home tab opens it."""
    for _ in range(2):
        channels = bot.slack.get("channels")["channels"]
        if found := [one["id"] for one in channels if one["is_im"] and user in one["members"]]:
            return str(found[0])
        bot.slack.act(user, home={})
    raise AssertionError(f"no direct conversation with {user}")


def _new(bot: Bot, user: str, channel: str, before: list[str]) -> str:
    return "\n".join(line for line in _seen(bot, user, channel) if line not in before)


def _seen(bot: Bot, user: str, channel: str) -> list[str]:
    private = bot.slack.get("ephemerals", user=user)["ephemerals"]
    views = bot.slack.get("views", user=user)["views"]
    home = bot.slack.get("views", user=user)["homes"].get(user)
    direct = bot.slack.messages(channel=_direct(bot, user))
    public = bot.slack.messages(channel=channel) if channel else []
    return [json.dumps(one, ensure_ascii=False) for one in [*private, *views, *public, *direct, home]]
