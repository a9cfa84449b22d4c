"""Incidents as rows: what people do with them, roles, confirmed causes, lists for people."""
