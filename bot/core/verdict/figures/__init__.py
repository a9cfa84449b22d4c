"""Figures of a sentence, held against those of its evidence: read, related, and struck where the evidence has none such."""
