"""The texts that models read, as Markdown files beside this module, never inside Python."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

# No autoescape: the result is plain text. Untrusted text is only passed as a value, never as a template.
_environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)


@cache
def prompt(name: str) -> Template:
    """The prompt `prompts/<name>.md`; a missing variable is an error, not an empty string."""
    return _environment.from_string(files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8"))


def prompt_of(path: Path) -> Template:
    """A prompt of the team's own, read from its file at each call. Raises OSError if it cannot be read."""
    return _environment.from_string(path.read_text(encoding="utf-8"))
