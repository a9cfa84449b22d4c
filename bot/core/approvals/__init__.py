"""Who may propose, approve and run a remediation: policy rules, the roster, the record people approve, fitting remedies."""
