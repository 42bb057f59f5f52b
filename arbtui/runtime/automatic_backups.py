"""Backups of the journal that nobody asks for: every few minutes, and at a clean stop. Made and checked by a process of its own."""

import asyncio
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from arbtui.settings.output import say

log = logging.getLogger("arbtui")

#: A stop waits for its backup so long, in seconds; what is not done by then goes on by itself.
_STOP_S = 10.0
_LOOKS_EVERY_S = 0.1

_running: "list[subprocess.Popen[bytes]]" = []


class AutomaticBackups:
    """The automatic backups of one journal.

    Args:
        journal: its file.
        hours: for how long the last of each hour is kept.
    """

    def __init__(self, journal: Path, hours: int) -> None:
        self._command = (sys.executable, "-m", "arbtui.journal.automatic_backup", str(journal.absolute()), str(hours))

    async def run(self, every_s: float, tell: Callable[[str], object]) -> None:
        """Make one every ``every_s`` seconds until cancelled; one that is under way then goes on by itself.

        ``tell``: told in a sentence why one could not be made.
        """
        while True:
            await asyncio.sleep(every_s)
            if why := await self._make():
                tell(why)

    async def at_stop(self) -> None:
        """Make one of a journal that is closed; the wait is short."""
        try:
            async with asyncio.timeout(_STOP_S):
                if why := await self._make():
                    say(f"no backup of the journal: {why}")
        except TimeoutError:
            say("the backup of the journal is not done yet; it goes on by itself")

    async def _make(self) -> str:
        """Wait for one backup, which nothing else in this process does; why there is none, else empty."""
        try:
            with tempfile.TemporaryFile() as output:
                process = await asyncio.to_thread(  # starting a process takes milliseconds
                    subprocess.Popen, self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
                _running.append(process)  # where nobody waits for it any more it goes on
                while process.poll() is None:  # noqa: ASYNC110 (asyncio's own way would end the process along with the loop)
                    await asyncio.sleep(_LOOKS_EVERY_S)
                _running[:] = [one for one in _running if one.poll() is None]
                output.seek(0)
                told = " ".join(output.read().decode(errors="replace").split())
        except OSError as error:  # no descriptor or memory is left: a backup must not end a run
            return f"its process could not be started: {error.strerror}"
        if process.returncode == 0:
            log.info("backup of the journal: %s", told)
            return ""
        return told or f"its process ended with code {process.returncode}"
