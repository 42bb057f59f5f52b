"""Cancelling from ``arbtui kill`` itself, once nothing else can be done for the gate. Here heavy modules are loaded."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from arbtui.model.scoped_halts import GLOBAL
from arbtui.settings.guardian_post import guardian_folder, read_word
from arbtui.settings.output import say
from arbtui.settings.requests import ask

#: How long a guardian may take to cancel, in s.
_GUARDIAN_S = 70.0


@dataclass(frozen=True, slots=True)
class Cancelled:
    """By venue, in words, what it has confirmed; whether all have."""

    words: tuple[str, ...]
    is_confirmed: bool


def cancel_wherever(profile: str, folder: Path, journal: Path, scope: str = GLOBAL) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cancel from here, and where that is not confirmed have a guardian do it, which has keys of its own; what either says.

    Args:
        profile: by name or file.
        folder: its state folder.
        journal: its journal in mode live.
        scope: cancel only what falls under it.
    """
    cancelled = cancel_from_here(profile, journal, scope)
    return cancelled.words, () if cancelled.is_confirmed else _by_guardian(folder, scope)


def _by_guardian(folder: Path, scope: str) -> tuple[str, ...]:
    word = read_word(folder)
    if word is None or not word.keys:
        return ()
    say(f"asking the guardian (pid {word.pid}) to cancel")
    try:
        told = ask(guardian_folder(folder), {"verb": "cancel", "scope": scope}, _GUARDIAN_S)
    except OSError as error:
        return (f"the guardian could not be asked ({error.strerror or error})",)
    if told is None:
        return (f"the guardian has not answered within {_GUARDIAN_S:g} s",)
    refusal = told.get("refusal")
    return (f"the guardian refuses: {refusal}",) if refusal else tuple(str(one) for one in told.get("orders", ()))


def cancel_from_here(profile: str, journal: Path, scope: str = GLOBAL) -> Cancelled:
    """Cancel the live orders of ``profile`` in ``scope``; for each venue what it has confirmed, or why nothing could be done."""
    try:
        from arbtui.model.errors import ArbtuiError
        from arbtui.monitoring.redact import redact
        from arbtui.monitoring.redacting_formatter import RedactingFormatter
        from arbtui.runtime.cancel_alone import cancel_alone
        from arbtui.settings.load import load_profile
        from arbtui.settings.own_keys import own_keys

        if logging.lastResort is not None:
            logging.lastResort.setFormatter(RedactingFormatter("arbtui: %(message)s"))
        try:
            settings = load_profile(profile, {"mode": "live"})
            keys, lacks = own_keys(settings, live=True)
            cleared = asyncio.run(cancel_alone(settings, keys, lacks, scope, journal))
        except ArbtuiError as error:
            return Cancelled((f"no order was cancelled: {redact(str(error))}",), is_confirmed=False)
    except Exception as error:  # the gate is closed and told, whatever is wrong with the rest of the program
        return Cancelled((f"no order was cancelled: {type(error).__name__}",), is_confirmed=False)
    return Cancelled(tuple(redact(one.in_words()) for one in cleared), all(one.is_confirmed for one in cleared))
