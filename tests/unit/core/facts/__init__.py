"""Tests of the evidence facts."""
