"""Ties between services as rows: rules that people made, and what was learned."""
