"""What ties services together beside declared dependencies: past cascades, traces, metrics, and rules that people made."""
