"""What a diff does, kind by kind: settings, packages, safeguards, credentials and what else its lines show."""
