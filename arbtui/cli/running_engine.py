"""What a command asks of the engine that runs on a profile's folder."""

from pathlib import Path
from typing import Any

from arbtui.model.errors import UsageError
from arbtui.settings.requests import ANSWER_S, ask


def ask_engine(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Have the engine that runs on ``folder`` do it; its answer.

    Raises:
        UsageError: it refuses, or does not answer.
    """
    answer = ask(folder, request)
    if answer is None:
        raise UsageError(f"the engine that runs did not answer within {ANSWER_S:g} s; nothing was changed: see arbtui status")
    if answer.get("refusal"):
        raise UsageError(f"{answer['refusal']}; nothing was changed")
    return answer
