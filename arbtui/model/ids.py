"""Client order ids: unique across all runs and state folders, never derived from time alone.

18 characters, ``a`` and 17 of base32: inside every venue's limit (Binance 36, Upbit's identifier, OKX 32, alphanumeric).
"""

import base64
import hashlib
import re

_OURS = re.compile(r"a[a-z2-7]{17}")


def client_order_id(salt: str, cycle_id: str, leg: int, attempt: int) -> str:
    """The id of one order attempt. ``salt`` belongs to the state folder and to one run of it, ``cycle_id`` holds the run's number."""
    digest = hashlib.sha256(f"{salt}/{cycle_id}/{leg}/{attempt}".encode()).digest()
    return "a" + base64.b32encode(digest[:15])[:17].decode().lower()  # 15 bytes encode to 24 characters without padding; 17 are used


def is_ours(client_order_id: str) -> bool:
    """Whether ``client_order_id`` looks like one of :func:`client_order_id`: of this program, of whichever profile or run."""
    return _OURS.fullmatch(client_order_id) is not None
