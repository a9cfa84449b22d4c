"""Providers of models: what each allows, how its client is made, and what its refusals mean."""
