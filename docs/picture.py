"""Makes docs/console.svg: the real console over a real `sim` session, exported by Textual itself.

    .venv/bin/python docs/picture.py            (or: make picture)

Runs the shipped profile for half a minute in a throwaway state folder, without a terminal, moves the cursor to a route that
has traded, writes what is on screen and quits. The SVG names no font file and no host, so it shows the same everywhere.
"""

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

SIZE = (160, 48)
SECONDS = 30
TARGET = Path(__file__).with_name("console.svg")


def main() -> int:
    """Run the session; 0 when the picture was written."""
    with tempfile.TemporaryDirectory(prefix="arbtui-picture-") as folder:
        os.environ["ARBTUI_STATE_DIR"] = folder
        os.environ.pop("NO_COLOR", None)
        import arbtui.console
        import arbtui.runtime.screen as screen
        from arbtui.console.app import ConsoleApp
        from arbtui.runtime.session import run_session
        from arbtui.settings.load import load_profile
        from arbtui.settings.options import SessionOptions

        class Camera(ConsoleApp):
            """The console, headless; quits once its picture is taken."""

            CSS_PATH = Path(arbtui.console.__file__).with_name("console.tcss")

            async def run_async(self, **arguments: Any) -> str | None:
                self.call_later(self.set_timer, SECONDS, self._aim)
                return await super().run_async(headless=True, size=SIZE)

            def _aim(self) -> None:
                routes = self.main.routes
                traded = next((n for n, row in enumerate(routes.rows) if row.fills), 0)
                routes.action_move(traded - routes.cursor)
                self.set_timer(2, self._shoot)

            def _shoot(self) -> None:
                self.main.tick_all()
                self.call_after_refresh(self._write)

            def _write(self) -> None:
                TARGET.write_text(without_fonts(self.export_screenshot(title="arbtui --profile upbit-binance")))
                TARGET.chmod(0o644)  # a session keeps its files to itself
                self.exit("operator")

        screen.ConsoleApp = Camera  # type: ignore[misc]
        return run_session(SessionOptions(settings=load_profile("upbit-binance"), state_root=Path(folder)))


def without_fonts(svg: str) -> str:
    """``svg`` without the font files that Rich's template fetches and its address; any monospaced font does."""
    return re.sub(r"@font-face\s*\{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    sys.exit(main())
