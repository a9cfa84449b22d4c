"""Translates public incident data into recorded worlds, lets the live investigator work on them, and scores its answers."""
