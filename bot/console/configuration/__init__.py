"""`tocsin init`, `config`, `policy`, `source` and `mcp`: what is configured, drafted, checked and tried before an incident."""
