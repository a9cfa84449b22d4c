"""Commands, one plugin a file: each answers one verb, from whichever entry point it came."""
