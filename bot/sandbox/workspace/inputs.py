"""What a person enters: plain values turned into the typed ones that payloads carry."""

from __future__ import annotations

from typing import Any

from bot.sandbox.workspace.blocks import elements_of

Json = dict[str, Any]

# Element type -> (field of the typed value, field of the initial one).
_FIELDS = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}


def options_of(element: Json) -> list[Json]:
    """All options of a select, those of its groups too."""
    grouped = [option for group in element.get("option_groups", []) for option in group.get("options", [])]
    return [*element.get("options", []), *grouped]


def typed(element: Json, value: Any) -> Json:
    """The typed value of `element` for what a person chose: an option's value, a list of them, a text, an id.

    An option that is not offered is passed on as it is: a forged payload can hold anything.
    """
    kind = str(element["type"])
    field = _FIELDS.get(kind, ("value", ""))[0]
    if field == "selected_option":
        return {"type": kind, field: _option(element, value)}
    if field == "selected_options":
        return {"type": kind, field: [_option(element, one) for one in value or []]}
    if field == "value" and value is not None:
        value = str(value) or None
    return {"type": kind, field: value}


def _option(element: Json, value: Any) -> Json | None:
    if value is None or isinstance(value, dict):
        return value
    offered = (option for option in options_of(element) if option["value"] == value)
    return next(offered, {"text": {"type": "plain_text", "text": str(value)}, "value": str(value)})


def initial(element: Json) -> Json:
    """The typed value of an element that nobody touched."""
    field, start = _FIELDS.get(str(element["type"]), ("value", ""))
    empty: list[Any] | None = [] if field.endswith("s") and field.startswith("selected_") else None
    return {"type": element["type"], field: element.get(start, empty)}


def state_of(blocks: list[Json], entered: Json) -> Json:
    """`state.values` of blocks. `entered` names inputs by `block_id: {action_id: value}`, or by either id alone."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] not in _FIELDS or element["type"] == "overflow":
                continue
            has_value, value = _entered(block, element, entered)
            values.setdefault(block["block_id"], {})[element["action_id"]] = (
                typed(element, value) if has_value else initial(element)
            )
    return values


def _entered(block: Json, element: Json, entered: Json) -> tuple[bool, Any]:
    by_block = entered.get(block["block_id"])
    if isinstance(by_block, dict) and element["action_id"] in by_block:
        return True, by_block[element["action_id"]]
    if block["block_id"] in entered and not isinstance(by_block, dict):
        return True, by_block
    if element["action_id"] in entered:
        return True, entered[element["action_id"]]
    return False, None


def refused_by_client(blocks: list[Json], values: Json) -> Json:
    """What Slack's own client would not let a person submit: `block_id: why`."""
    errors: Json = {}
    for block in blocks:
        element = block.get("element")
        if block.get("type") != "input" or not element:
            continue
        typed_value = values[block["block_id"]][element["action_id"]]
        value = typed_value.get(_FIELDS[element["type"]][0])
        if not value and not block.get("optional"):
            errors[block["block_id"]] = "Please complete this required field."
        elif value and len(str(value)) < int(element.get("min_length", 0)):
            errors[block["block_id"]] = f"Must be at least {element['min_length']} characters long."
        elif isinstance(value, str) and len(value) > int(element.get("max_length", 3000)):
            errors[block["block_id"]] = f"Must be at most {element.get('max_length', 3000)} characters long."
    return errors
