"""Keeps secrets out of everything that is written: each is named here once, and replaced wherever it turns up."""

import logging
from urllib.parse import quote

_MASK = "[secret]"
_hidden: list[str] = []


def hide(secret: str) -> None:
    """From now on :func:`redact` replaces ``secret``, as it is, URL-quoted, and without a bot token's public number."""
    parts = [secret, secret.partition(":")[2]]
    for text in [*parts, *(quote(part, safe="") for part in parts), *(repr(part)[1:-1] for part in parts)]:
        if len(text) >= 4 and text not in _hidden:  # shorter ones would make every line unreadable, and are no secrets
            _hidden.append(text)
    _hidden.sort(key=len, reverse=True)


def redact(text: str) -> str:
    """``text`` without any hidden secret."""
    for secret in _hidden:
        if secret in text:
            text = text.replace(secret, _MASK)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats as its base does, tracebacks too, and takes the secrets out."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole text of ``record``."""
        return redact(super().format(record))
