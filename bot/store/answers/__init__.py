"""Answers to people as rows: questions, postmortem drafts, and whole records for the API."""
