"""Policies as a whole: what one allows beyond another, who confirms that, and what one answers in a situation."""
