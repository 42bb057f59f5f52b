"""Cancelling from ``arbtui kill`` itself, once nothing else can be done for the gate. Here heavy modules are loaded."""

import asyncio
import logging
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cancelled:
    """By venue, in words, what it has confirmed; whether all have."""

    words: tuple[str, ...]
    is_confirmed: bool


def cancel_from_here(profile: str) -> Cancelled:
    """Cancel the live orders of ``profile``; for each venue what it has confirmed, or why nothing could be done."""
    try:
        from arbtui.model.errors import ArbtuiError
        from arbtui.monitoring.redact import RedactingFormatter, redact
        from arbtui.runtime.cancel_alone import cancel_alone
        from arbtui.settings.load import load_profile
        from arbtui.settings.own_keys import own_keys

        if logging.lastResort is not None:
            logging.lastResort.setFormatter(RedactingFormatter("arbtui: %(message)s"))
        try:
            settings = load_profile(profile, {"mode": "live"})
            keys, lacks = own_keys(settings, live=True)
            cleared = asyncio.run(cancel_alone(settings, keys, lacks))
        except ArbtuiError as error:
            return Cancelled((f"no order was cancelled: {redact(str(error))}",), is_confirmed=False)
    except Exception as error:  # the gate is closed and told, whatever is wrong with the rest of the program
        return Cancelled((f"no order was cancelled: {type(error).__name__}",), is_confirmed=False)
    return Cancelled(tuple(redact(one.in_words()) for one in cleared), all(one.is_confirmed for one in cleared))
