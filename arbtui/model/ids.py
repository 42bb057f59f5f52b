"""Client order ids: unique across all runs and state folders, never derived from time alone.

18 characters, ``a`` and 17 of base32: inside every venue's limit, which a venue's declaration checks (``exchanges/venue.py``).
"""

import base64
import hashlib
import re

#: The characters that our ids are made of, and how many of them an id has.
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
LENGTH = 18

_OURS = re.compile(rf"a[{ALPHABET}]{{{LENGTH - 1}}}")


def client_order_id(salt: str, cycle_id: str, leg: int, attempt: int) -> str:
    """The id of one order attempt. ``salt`` belongs to the state folder and to one run of it, ``cycle_id`` holds the run's number."""
    digest = hashlib.sha256(f"{salt}/{cycle_id}/{leg}/{attempt}".encode()).digest()
    return "a" + base64.b32encode(digest[:15])[: LENGTH - 1].decode().lower()  # 15 bytes encode to 24 characters without padding


def is_ours(client_order_id: str) -> bool:
    """Whether ``client_order_id`` looks like one of :func:`client_order_id`: of this program, of whichever profile or run."""
    return _OURS.fullmatch(client_order_id) is not None


def unused_id(time_ms: int) -> str:
    """An id that no order ever had, to ask a venue for: of our characters, as long as ours, and not like ours."""
    digits, rest = "", time_ms
    while rest:
        rest, place = divmod(rest, len(ALPHABET))
        digits = ALPHABET[place] + digits
    return f"unused{digits:a>{LENGTH - 6}}"
