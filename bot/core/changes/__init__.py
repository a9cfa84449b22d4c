"""Changes near an incident: how near in time, roll-outs seen in metrics, changes that were reported late."""
