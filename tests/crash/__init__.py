"""Kills: the bot dies at every point of a scenario, is started again, and a checker reads what the world saw.

`python -m tests.crash` is the whole matrix; tests/e2e/test_crash.py takes each point once.
"""
