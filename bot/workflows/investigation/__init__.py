"""Investigations: triage, the first facts, the analyst, tool calls, questions, replay and learning."""
