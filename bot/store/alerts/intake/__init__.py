"""Intake: deliveries committed as rows before they are acknowledged, and bodies that could not be read."""
