"""Proposals as rows: their state transitions, decisions, claims, attempts and outcomes."""
