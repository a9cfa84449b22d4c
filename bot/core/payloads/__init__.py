"""Payloads of unknown senders: which value of a JSON document is an alert's title, severity, status, entity or moment."""
