"""Time series and queries: what is normal, how far a signal deviates, service level objectives, PromQL and LogQL."""
