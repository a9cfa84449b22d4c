"""Yes, no or unknown: what answers a yes-or-no question from measurements, the ranking and the record."""
