"""What the rules are asked with: the state around a proposal, roles in its incident, and what stands behind a severity."""
