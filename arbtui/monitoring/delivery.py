"""Whether alerts arrive, told from outside: for ``status`` and ``check``."""

from collections.abc import Collection
from typing import Any

from arbtui.journal.outbox import Undelivered
from arbtui.model.counted import counted
from arbtui.monitoring.alert_rules import OVERDUE_S, OVERDUE_WARN_S


def alert_facts(found: Undelivered, now_ms: int) -> dict[str, Any]:
    """As JSON: how many wait, for how long, whether that is too long, and which chats have another number."""
    ages = [None if ms is None else max(0.0, (now_ms - ms) / 1000) for ms in (found.oldest_ms, found.oldest_warn_ms)]
    overdue = any(age is not None and age > most for age, most in zip(ages, (OVERDUE_S, OVERDUE_WARN_S), strict=True))
    oldest = max((age for age in ages if age is not None), default=None)
    return {"waiting": found.waiting, "oldest_age_s": oldest, "overdue": overdue, "chats_moved": found.moved}


def alert_troubles(facts: dict[str, Any], channels: Collection[str] | None = None) -> list[str]:
    """What is wrong, in sentences. ``channels``: those that the profile names now; a chat that it names no more is mended."""
    troubles = []
    if facts["overdue"]:
        told = f"{counted(facts['waiting'], 'alert')} not delivered, the oldest for {facts['oldest_age_s']:.0f} s"
        troubles.append(f"{told}; look at the log for why, and at [telegram], [email] and [services]")
    return troubles + [detail for channel, detail in facts["chats_moved"].items() if channels is None or channel in channels]
