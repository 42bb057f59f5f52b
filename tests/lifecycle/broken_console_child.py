"""The program with a console that fails while a file is there: ``python -m tests.lifecycle.broken_console_child FILE ARGUMENTS...``.

While FILE exists the header cannot be painted, no line of the routes rendered, and no pause is taken.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arbtui.cli import main
from arbtui.console.painter import Painter
from arbtui.console.panes.routes import RoutesPane
from arbtui.console.screens.main import MainScreen


def fails(owner: type, name: str, file: Path) -> None:
    """Let ``owner.name`` raise while ``file`` is there."""
    whole: Callable[..., Any] = getattr(owner, name)

    def failing(*arguments: Any) -> Any:
        if file.exists():
            raise RuntimeError(f"{name} is broken")
        return whole(*arguments)

    setattr(owner, name, failing)


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    fails(Painter, "_tick_header", file)
    fails(RoutesPane, "spans", file)
    fails(MainScreen, "action_pause", file)
    sys.exit(main())
