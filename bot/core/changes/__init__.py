"""Changes near an incident: how recent, roll-outs read from metrics, changes that were reported late."""
