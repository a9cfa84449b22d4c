"""Written answers of a model over every fault of the sandbox: what of them is kept, and what is called likely."""
