"""What is observed, in words: log lines and error texts, the causes that they name, and what each effect would bring about."""
