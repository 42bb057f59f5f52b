"""What a command asks of the engine that runs on a profile's folder."""

from pathlib import Path
from typing import Any

from arbtui.model.errors import UsageError
from arbtui.settings.requests import ANSWER_S, ask


def put(folder: Path, request: dict[str, Any]) -> dict[str, Any] | None:
    """Put ``request`` before the engine that runs on ``folder``; its answer, None when none came in time.

    Raises:
        UsageError: it cannot be asked: the folder takes no file.
    """
    try:
        return ask(folder, request)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"the engine that runs cannot be asked: {folder} takes no file ({reason}); nothing was changed") from None


def ask_engine(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Have the engine that runs on ``folder`` do it; its answer.

    Raises:
        UsageError: it refuses, or does not answer.
    """
    answer = put(folder, request)
    if answer is None:
        raise UsageError(f"the engine that runs did not answer within {ANSWER_S:g} s; nothing was changed: see arbtui status")
    if answer.get("refusal"):
        raise UsageError(f"{answer['refusal']}; nothing was changed")
    return answer
