"""Commands as people type them: the verb line, plain language told from mistyped verbs, the text of a declared incident."""
