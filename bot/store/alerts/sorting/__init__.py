"""Sorting: committed alerts read in their order, applied to episodes, and placed in open or new groups."""
