"""Cancelling from ``arbtui kill`` itself, once nothing else can be done for the gate. Here heavy modules are loaded."""

import asyncio
import logging


def cancel_from_here(profile: str) -> tuple[str, ...]:
    """Cancel the live orders of ``profile``; in words, for each venue, what it has confirmed, or why nothing could be done."""
    try:
        from arbtui.model.errors import ArbtuiError
        from arbtui.monitoring.redact import RedactingFormatter, redact
        from arbtui.runtime.cancel_alone import cancel_alone
        from arbtui.settings.load import load_profile

        if logging.lastResort is not None:
            logging.lastResort.setFormatter(RedactingFormatter("arbtui: %(message)s"))
        try:
            cleared = asyncio.run(cancel_alone(load_profile(profile, {"mode": "live"})))
        except ArbtuiError as error:
            return (f"no order was cancelled: {redact(str(error))}",)
    except Exception as error:  # the gate is closed and told, whatever is wrong with the rest of the program
        return (f"no order was cancelled: {type(error).__name__}",)
    return tuple(one.in_words() for one in cleared)
