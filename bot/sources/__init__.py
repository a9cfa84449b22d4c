"""Alert sources, one plugin a file: each turns a vendor's body into alerts and changes."""
