"""Tests of the trial: how runs are drawn and judged."""
