"""Formats records of a log without secrets. Apart from :mod:`arbtui.monitoring.redact`, so that a kill need not load ``logging``."""

import logging

from arbtui.model.printable import printable
from arbtui.monitoring.redact import redact


class RedactingFormatter(logging.Formatter):
    """Formats as its base does, including tracebacks; removes the secrets, and writes out whatever would steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole text of ``record``. Further lines are indented, so that no text can pass for a record of its own."""
        return "\n    ".join(printable(line) for line in redact(super().format(record)).splitlines())
