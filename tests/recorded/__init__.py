"""What older versions wrote, kept as files: the present version must go on from it. `making` says how they are made."""
