"""One middleware per concern: the durable one stands next to the calls, the others decide before it."""
