"""What a command says of a profile without a journal: it has not run yet, or its name is mistyped."""

from pathlib import Path

from arbtui.model.errors import UsageError


def no_journal(name_or_path: str, name: str, root: Path) -> UsageError:
    """The complaint that the profile has no journal below ``root``; it says, too, where there is no such profile."""
    try:
        _find(name_or_path)
    except UsageError as error:
        return UsageError(f"profile {name} has no journal in {root}: it has not run there yet ({error})")
    return UsageError(f"profile {name} has no journal in {root}: it has not run there yet")


def refuse_unknown(name_or_path: str, folder: Path) -> None:
    """Check a profile without a ``folder``: one that exists has not run yet, any other name is a mistake.

    Raises:
        UsageError: no such profile; the message names the nearest.
    """
    if not folder.exists():
        _find(name_or_path)


def _find(name_or_path: str) -> None:
    from arbtui.settings.locations import find_profile

    find_profile(name_or_path)
