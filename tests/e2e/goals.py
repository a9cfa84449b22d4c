"""Goals in seconds. They are printed and do not end a run: what a machine that is busy or slow misses is no defect."""


def figure(what: str, seconds: float, goal: float) -> str:
    """One line for the figures: what was measured, and whether it is under its goal."""
    return f"{what}: {seconds:.2f} s (goal {goal:g} s: {'reached' if seconds < goal else 'MISSED'})"
