"""Slack's limits that our messages and modals keep, in one table.

Sources: the Block Kit reference and method pages of docs.slack.dev and the
constants of slack-sdk. Where only users' reports exist (the sum of text, the
bytes of an edit's fallback), this is the lower, safe number.
"""

LIMIT: dict[str, int] = {
    "message.blocks": 50,
    "message.text": 10_000,
    "fallback": 500,
    "view.blocks": 100,
    "view.text": 60_000,
    "view.title": 24,
    "view.button": 24,
    "view.private_metadata": 3_000,
    "header": 150,
    "section": 3_000,
    "field": 2_000,
    "fields": 10,
    "context": 3_000,
    "context.elements": 10,
    "actions": 25,
    "button": 75,
    "button.value": 2_000,
    "button.url": 3_000,
    "accessibility": 75,
    "option": 75,
    "option.value": 150,
    "options": 100,
    "overflow": 5,
    "confirm.title": 100,
    "confirm.text": 300,
    "confirm.button": 30,
    "alt": 2_000,
    "image.title": 2_000,
    "input.label": 2_000,
    "input.text": 3_000,
    "untrusted": 300,
}
"""Counts are elements, the others are characters. `untrusted` is Tocsin's own: how much of one untrusted text a card shows."""
