"""How an asset can be moved between venues by a person: networks, fees, and what the wallets of both venues do now.

Everything here is read. Nothing in this program can withdraw, in any mode.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf


@dataclass(frozen=True, slots=True)
class NetworkTerms:
    """One network of one asset at one venue. None: the venue does not publish it.

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
class NetworkPath:
    """One network from one venue to another, by what both say of it now. None: not told.

    ``fee``, ``least``, ``step``: of what is sent, in units of the asset. ``minutes``: the longer of what the two estimate.
    """

    network: str
    fee: Decimal | None
    least: Decimal | None
    step: Decimal | None
    minutes: float | None
    why_not: str  #: why it is closed now; empty where it is open
    whitelisted: bool | None  #: whether an address of the receiver is registered at the sender
    words: str  #: what the venues say of it

    @property
    def is_known(self) -> bool:
        """Whether its cost and its time are told: nothing is traded over one that may cost anything."""
        return self.fee is not None and self.minutes is not None


def network_paths(
    asset: str, sender: str, receiver: str, sends: Sequence[NetworkTerms], takes: Sequence[NetworkTerms]
) -> tuple[NetworkPath, ...]:
    """Every network of ``asset`` that the sender lists; the open ones first, then the cheapest, then the fastest.

    Args:
        asset: what is moved.
        sender: the venue that ``sends`` is of.
        receiver: the venue that ``takes`` is of.
        sends: the sender's terms of the asset.
        takes: the receiver's.
    """
    there = {network_key(terms.network): terms for terms in takes if terms.asset == asset}
    paths = [_path(terms, there.get(network_key(terms.network)), receiver) for terms in sends if terms.asset == asset]
    return tuple(
        sorted(paths, key=lambda path: (bool(path.why_not), path.fee is None, path.fee or 0, inf if path.minutes is None else path.minutes))
    )


def _path(sends: NetworkTerms, takes: NetworkTerms | None, receiver: str) -> NetworkPath:
    whitelisted = None if sends.known_to is None else receiver in sends.known_to
    minutes = [terms.minutes for terms in (sends, takes) if terms is not None and terms.minutes is not None]
    why_not = ""
    if takes is None:
        why_not = f"{receiver} takes no deposits on {sends.network}"
    elif not sends.withdrawals:
        why_not = f"withdrawals are off at the sender{_said(sends)}"
    elif not takes.deposits:
        why_not = f"deposits are off at the receiver{_said(takes)}"
    elif whitelisted is False:
        why_not = "no address of the receiver is registered at the sender"
    words = [text for terms in (sends, takes) if terms is not None for text in (terms.words, "busy" if terms.is_busy else "") if text]
    told = "; ".join(dict.fromkeys(words))
    return NetworkPath(sends.network, sends.fee, sends.least, sends.step, max(minutes, default=None), why_not, whitelisted, told)


def _said(terms: NetworkTerms) -> str:
    return f": {terms.words}" if terms.words else ""


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
