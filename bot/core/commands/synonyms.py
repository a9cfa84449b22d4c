"""What other tools call a command of ours: a word that is spelt like none may mean one all the same."""

SYNONYMS = {
    "admin resume": "unpause",
    "approve": "accept allow lgtm",
    "declare": "create raise start",
    "deny": "decline refuse reject",
    "investigate": "analyse analyze debug diagnose",
    "lead": "assign claim commander ic take takeover",
    "list": "active alerts incidents ls ongoing",
    "merge": "combine join",
    "note": "comment log update",
    "postmortem": "pm report retro retrospective",
    "resolve": "done end finish fixed",
    "resume": "continue unstop",
    "show": "describe details info status timeline",
    "silence": "snooze suppress",
    "silence end": "expire unmute unsilence unsnooze",
    "silence list": "muted silenced",
    "split": "separate unmerge",
    "standing revoke": "revoke",
    "stop": "abort halt",
    "whoami": "oncall on-call whois",
}
"""By command, as it is typed: the words for it in other incident tools, and the opposites of our own verbs."""
_COMMANDS = {word: command for command, words in SYNONYMS.items() for word in words.split()}


def command_meant(word: str) -> str:
    """The command that a word means elsewhere, as it is typed here: `silence end` for `unmute`; "" if none does."""
    return _COMMANDS.get(word, "")


def is_opposite(word: str, verb: str) -> bool:
    """Whether a word takes back what a verb does: `unack` is a slip of anything but `ack`."""
    return word == f"un{verb}"
