"""The bot: alerts in, causes said once in Slack, remediations only after approval, a postmortem draft at the end."""
