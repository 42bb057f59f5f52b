"""Coinone's errors: of REST, under whatever status, and of a socket."""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import EXCERPT, ToldError


def told_error(answer: Mapping[str, Any]) -> ToldError:
    """``error_code`` and ``error_msg`` of a REST answer (``errorCode``, ``errorMsg`` of older versions), ``message`` of a socket's."""
    code = answer.get("error_code", answer.get("errorCode", ""))
    words = answer.get("error_msg", answer.get("errorMsg", answer.get("message", "")))
    return ToldError(str(code), str(words)[:EXCERPT])
