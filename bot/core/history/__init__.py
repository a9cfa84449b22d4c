"""What is left of an incident: the postmortem draft, past incidents that resemble a new one, frozen cases for replay."""
