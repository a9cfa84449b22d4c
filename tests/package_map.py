"""The map of packages in docs/architecture.md, made from the sentence in each package's `__init__`. Writes it when run."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
ROOTS = ("bot", "tools", "prompts")
_MAP = re.compile(r"(<!-- package map: `make docs` writes it -->\n).*?(<!-- end of the package map -->)", re.DOTALL)
_LEFT_OUT = {"bot/sandbox/page"}


def sentences() -> dict[str, str]:
    """Each package's folder and the first line of its docstring; "" where there is none."""
    folders = sorted(init.parent for root in ROOTS for init in (ROOT / root).rglob("__init__.py"))
    return {str(folder.relative_to(ROOT)): _sentence(folder / "__init__.py") for folder in folders}


def _sentence(init: Path) -> str:
    return (ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def page_with_map(page: str) -> str:
    """The page with its map made anew."""
    rows = "\n".join(f"| `{folder}` | {sentence} |" for folder, sentence in sentences().items() if folder not in _LEFT_OUT)
    return _MAP.sub(lambda match: f"{match[1]}| package | what lives there |\n|---|---|\n{rows}\n{match[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(page_with_map(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
