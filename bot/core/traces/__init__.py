"""Spans: where the time of requests goes, and which calls wait longer than anybody served."""
