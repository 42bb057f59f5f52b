"""The modes of a profile that a page does not show: a simulated run must not hide what is open in live."""

from pathlib import Path
from typing import Any

from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.settings.state import MODES, mode_folder, written_at


def other_modes(root: Path, name: str, shown: str | None) -> list[dict[str, Any]]:
    """Every other mode that has a journal: what is open in it, and whether it was written after the one shown. Raises nothing."""
    if shown is None:
        return []
    newest = written_at(mode_folder(root, name, shown)) or 0.0
    found = []
    for mode in MODES:
        folder = mode_folder(root, name, mode)
        written = written_at(folder)
        if mode != shown and written is not None:
            found.append({"mode": mode, **_left(folder / "journal.db"), "later": written > newest})
    return found


def other_modes_in_words(others: list[dict[str, Any]]) -> str:
    """One line for what is open in other modes; empty when nothing is."""
    lines = [f"{words}: --mode {other['mode']}" for other in others if (words := _words(other))]
    return "; ".join(lines)


def _left(path: Path) -> dict[str, Any]:
    from arbtui.journal.open_items import read_open_items

    try:
        if not path.stat().st_size:  # a journal that is just being created counts as none
            return {"last_run": None, "open_cycles": 0, "residual_cycles": 0, "open_orders": 0, "error": None}
        left = read_open_items(path)
    except UsageError as error:
        return {"last_run": None, "open_cycles": None, "residual_cycles": None, "open_orders": None, "error": str(error)}
    except OSError as error:
        reason = f"{path}: {error.strerror or error}"
        return {"last_run": None, "open_cycles": None, "residual_cycles": None, "open_orders": None, "error": reason}
    return {
        "last_run": left.last_run,
        "open_cycles": left.open_cycles,
        "residual_cycles": left.residual_cycles,
        "open_orders": left.open_orders,
        "error": None,
    }


def _words(other: dict[str, Any]) -> str:
    if other["error"]:
        return f"the journal of {other['mode']} cannot be read"
    left = [
        counted(other[key], noun) + rest
        for key, noun, rest in (
            ("residual_cycles", "residual cycle", " not acknowledged"),
            ("open_cycles", "cycle", " open"),
            ("open_orders", "order", " not settled"),
        )
        if other[key]
    ]
    if other["later"] and other["last_run"]:
        left.append(f"a later run ({other['last_run']})")
    return f"{other['mode']} has {', '.join(left)}" if left else ""
