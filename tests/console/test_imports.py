"""The console's modules import each other in one direction."""

import ast
from pathlib import Path

import arbtui

ROOT = Path(arbtui.__file__).parent


def test_no_module_of_the_console_imports_itself_in_a_circle() -> None:
    wanted: dict[str, set[str]] = {}
    for path in (ROOT / "console").rglob("*.py"):
        name = ".".join(("arbtui", *path.relative_to(ROOT).with_suffix("").parts))
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))  # those inside functions and for type checkers too
        wanted[name] = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    while leaves := [name for name, needs in wanted.items() if not needs & wanted.keys()]:
        for name in leaves:
            del wanted[name]
    assert not wanted, f"a circle among {sorted(wanted)}"
