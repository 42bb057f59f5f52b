"""How an asset can be moved between venues by a person: networks, fees, and what the wallets of both venues do now.

Everything here is read. Nothing in this program can withdraw, in any mode.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class NetworkTerms:
    """One network of one asset at one venue. None: the venue did not tell.

    ``fee``: taken from what is sent, in units of the asset. ``least``, ``step``: of an amount that is sent. ``minutes``: the venue's
    own estimate until a deposit is credited. ``known_to``: venues that the account's registered addresses belong to. ``contract``: the
    asset's address on that network; empty where the venue publishes none, or the network is the asset's own.
    """

    asset: str
    network: str
    deposits: bool
    withdrawals: bool
    fee: Decimal | None = None
    least: Decimal | None = None
    step: Decimal | None = None
    minutes: float | None = None
    is_busy: bool = False
    known_to: tuple[str, ...] | None = None
    contract: str = ""
    words: str = ""  #: what the venue says of it, where it says something


Networks = Mapping[str, Sequence[NetworkTerms]]
"""Terms by asset."""


@dataclass(frozen=True, slots=True)
class Rails:
    """Rules of a venue that hold for every asset (``docs/limits.md`` cites them).

    ``lock_h``: hours for which money paid in cannot leave again as coins, ``first_lock_h`` after the first time ever.
    ``travel_rule_from``: value, in ``currency``, from which the travel rule asks for a verified receiver.
    """

    currency: str
    lock_h: float
    first_lock_h: float
    travel_rule_from: Decimal


#: Korean rules: won paid in is locked, and the travel rule holds from 1,000,000 KRW on.
KOREAN = Rails("KRW", 24.0, 72.0, Decimal(1_000_000))

#: Names of one network at different venues.
_ALIKE = {
    "ETHEREUM": "ETH",
    "ERC20": "ETH",
    "TRON": "TRX",
    "TRC20": "TRX",
    "BSC": "BEP20",
    "BNB": "BEP20",
    "RIPPLE": "XRP",
    "BITCOIN": "BTC",
}


def network_key(name: str) -> str:
    """What a network is compared by."""
    bare = "".join(letter for letter in name.upper() if letter.isalnum())
    return _ALIKE.get(bare, bare)
