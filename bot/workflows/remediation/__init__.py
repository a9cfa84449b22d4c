"""Remediations: propose, wait for decisions, claim, execute once, verify."""
