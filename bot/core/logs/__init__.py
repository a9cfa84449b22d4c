"""Log lines: parsed, masked, grouped into templates, and compared with the usual mix."""
