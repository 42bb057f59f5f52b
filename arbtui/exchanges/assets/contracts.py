"""Contract addresses of an asset at two venues, compared network by network, where both publish them."""

from collections.abc import Sequence

from arbtui.exchanges.networks import NetworkTerms, network_key

#: So many last characters of an address are taken for the whole: OKX's deposit addresses name no more of it (docs-v5, ``ctAddr``).
_SHORTENED = 6


def contradiction(here: str, first: Sequence[NetworkTerms], there: str, second: Sequence[NetworkTerms]) -> str | None:
    """What contradicts that ``first`` of the venue ``here`` and ``second`` of ``there`` are one asset; None where nothing does.

    One network with two addresses is enough, whatever the others say: a deposit over it would credit another token.
    """
    theirs = {network_key(terms.network): terms for terms in second if terms.contract}
    for terms in first:
        other = theirs.get(network_key(terms.network))
        if terms.contract and other is not None and not _is_one(terms.contract, other.contract):
            return f"on {terms.network} its contract is {terms.contract} at {here} and {other.contract} at {there}"
    return None


def _is_one(address: str, other: str) -> bool:
    """Whether both are one address. Hexadecimal ones are written in either case; of others each letter counts."""
    one, two = (text.lower() if text[:2].lower() == "0x" else text for text in (address, other))
    short, long = sorted((one, two), key=len)
    if len(short) == _SHORTENED < len(long):
        return long.lower().endswith(short.lower())
    return one == two
