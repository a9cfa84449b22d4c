"""Log readers: Loki and files."""
