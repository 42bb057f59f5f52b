"""The meaning of states and reasons, for help and for "why does this route not trade"."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "OPEN": "a cycle of this asset runs",
    "READY": "the net edge clears the threshold",
    "IDLE": "no edge: the usual answer",
    "NO_BOOK": "a leg's book is empty or still syncing",
    "GAPPED": "an update is missing; a snapshot is awaited",
    "STALE": "a leg's stream sends nothing; clears itself",
    "CROSSED": "a leg's bid is at or above its ask",
    "NO_RATE": "the quotes differ and no exchange rate is known",
    "RATE_OLD": "the exchange rate is too old",
    "BELOW_THRESHOLD": "no edge: the usual answer",
    "EDGE_TOO_GOOD": "so large an edge is treated as bad data until checked",
    "PRICE_BAND": "the venues' prices differ too much to be one thing at one time",
    "PRICE_RATIO": "probably two assets with one ticker: quarantined",
    "TOO_SMALL": "under a venue's minimum",
    "LOT_TOO_COARSE": "the lot is too coarse for the order's size",
    "NO_STOCK": "too little of the asset at the selling venue",
    "NO_CASH": "too little quote currency at the buying venue",
    "DISARMED": "no order is sent: press `r` to arm, with name and reason",
    "PAUSED": "no new entries; open cycles finish",
    "REDUCING": "only what shrinks exposure",
    "HALTED": "latched: cancels only until re-armed with `r`",
    "HALTED_DIRTY": "halted with something left at a venue",
    "OLD_EPOCH": "decided before the last kill",
    "UNHEDGED": "open exposure at its limit",
    "LOSS_DAY": "the day's loss is at its limit",
    "OPEN_CYCLES": "as many cycles are open as may be",
    "JOURNAL": "the journal failed",
    "IN_FLIGHT": "too many unanswered orders at a venue",
    "RATE_LIMITED": "a venue's rate limits leave no room for an order; clears itself",
    "ORDERS_UNKNOWN": "the fate of several orders at a venue is not known; they are looked up",
    "MESSAGE_AGE": "a venue has sent nothing for too long",
    "VENUE_DOWN": "a venue sends nothing or does not answer; clears itself",
    "VENUE_FROZEN": "a venue's stream is open and does not change; clears itself",
    "VENUE_DEGRADED": "a venue is late, failing or throttling; clears itself",
    "BOOK_AGE": "a book is too old",
    "LEG_SKEW": "the two books are too far apart in time",
    "ORDER_VALUE": "the order is over its limit",
    "ROUTE_BUSY": "a cycle of this asset runs",
    "COOLDOWN": "rests after a cycle",
    "REFUSED": "a venue refused an order of it: paused for a while",
    "LOSSES": "too many losing cycles in a row: paused for a while",
    "RESIDUAL": "a cycle left something; `a` in Risk acknowledges it",
    "DECISION_AGE": "too old when it reached the gate",
    "DEADLINE": "past its deadline at the gate",
    "RESERVATION": "stock or cash is reserved by other orders",
    "DISABLED": "disabled with `x`, or execution is off in the profile",
    "MISSING_INPUT": "a required value is missing or not a number",
    "OPENED": "a cycle was opened",
    "HEDGED": "both legs filled",
    "UNWOUND": "one leg was reversed",
}
"""By reason or state."""

SHORT: Mapping[str, str] = {
    "BELOW_THRESHOLD": "IDLE",
    "ROUTE_BUSY": "OPEN",
    "VENUE_DOWN": "DOWN",
    "VENUE_FROZEN": "FROZEN",
    "VENUE_DEGRADED": "DEGRADED",
    "EDGE_TOO_GOOD": "TOO_GOOD",
    "PRICE_BAND": "PX_BAND",
    "PRICE_RATIO": "PX_RATIO",
    "LOT_TOO_COARSE": "COARSE",
    "HALTED_DIRTY": "DIRTY",
    "OPEN_CYCLES": "CYCLES",
    "RATE_LIMITED": "LIMITED",
    "ORDERS_UNKNOWN": "UNKNOWN",
    "MESSAGE_AGE": "MSG_AGE",
    "ORDER_VALUE": "VALUE",
    "DECISION_AGE": "LATE",
    "RESERVATION": "RESERVED",
    "MISSING_INPUT": "NO_INPUT",
}
"""Short forms of longer words for a column of nine cells; all differ from each other."""


def short_word(reason: str) -> str:
    """``reason`` in at most nine cells."""
    return SHORT.get(reason, reason)
