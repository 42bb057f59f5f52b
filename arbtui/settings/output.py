"""Where a summary goes: standard output, or a file that is known to be writable before the run starts."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arbtui.model.errors import UsageError


class JsonOutput:
    """The target of ``--json FILE|-``.

    Raises:
        UsageError: the file cannot be written. Said at once: a run of hours must not end with nowhere to tell of it.
    """

    def __init__(self, target: str) -> None:
        self.path = None if target == "-" else Path(target).expanduser()
        if self.path is None:
            return
        try:
            if not target or self.path.is_dir():
                raise UsageError(f"--json {target or repr(target)}: name a file, or - for standard output")
            existed = self.path.exists()
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            if not existed:
                self.path.unlink()
        except OSError as error:
            raise UsageError(f"--json {target}: cannot be written ({error.strerror or error})") from None

    def write(self, summary: Mapping[str, Any]) -> None:
        """Write ``summary`` as one JSON object, whole or not at all.

        Raises:
            OSError: the disk filled up, or the folder went away, since the start.
            ValueError: the summary holds NaN or an infinity, which JSON has no word for.
        """
        text = json.dumps(summary, indent=2, allow_nan=False) + "\n"
        if self.path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        elif self.path.exists() and not self.path.is_file():  # a pipe or device: there is nothing to replace
            self.path.write_text(text, encoding="utf-8")
        else:
            partial = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            partial.write_text(text, encoding="utf-8")
            partial.replace(self.path)
