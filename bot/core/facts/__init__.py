"""Evidence facts: what a tool returned for code to read, one model per kind; the JSON that is stored passes through them."""
