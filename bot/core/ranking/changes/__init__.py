"""Changes as causes: what their moment, versions and code say of them, and which of them the evidence clears."""
