"""Bybit's error objects, of REST and of sockets."""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import EXCERPT, ToldError


def told_error(answer: Mapping[str, Any]) -> ToldError | None:
    """``{"retCode", "retMsg"}``; None where it says that all is well (v5, "Common response parameters")."""
    code = answer.get("retCode")
    if code is None or str(code) == "0":
        return None
    return ToldError(str(code), str(answer.get("retMsg", ""))[:EXCERPT])
