"""What may be claimed: claims that the evidence carries, two answers merged into one, the kind of cause."""
