"""One middleware per worry. The durable one stands innermost around calls; the others decide before it."""
