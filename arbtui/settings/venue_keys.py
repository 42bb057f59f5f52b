"""Where a venue's API keys come from: the environment, the OS keyring, or the encrypted file; never a profile or a flag."""

import os
import re
from collections.abc import Callable, Sequence
from functools import partial

from pydantic import SecretStr

from arbtui.exchanges.keys import VenueKeyHolder, VenueKeys
from arbtui.exchanges.venues import VENUES
from arbtui.model.errors import UsageError
from arbtui.monitoring.redact import hide
from arbtui.settings.core_dump import forbid_core_dump
from arbtui.settings.key_file import KeyFile, key_file
from arbtui.settings.key_ring import OsKeyring

#: Prompts the operator for a named secret; None without a terminal.
Ask = Callable[[str], SecretStr]

FILE_NOT_IN_LIVE = (
    "keys of {exchange} are in {path} only, and live does not take keys that need a passphrase: a kill from outside "
    "could not cancel your orders, because no other process could read them; put them into the keyring "
    "(arbtui keys set {exchange} --store keyring) or into {variables}"
)


def variables(exchange: str) -> tuple[str, ...]:
    """The environment variables of a venue's key: one for each of its parts."""
    return tuple(f"ARBTUI_{exchange.upper()}_{part.upper()}" for part in VENUES[exchange].key_parts)


def listed(names: Sequence[str]) -> str:
    """``names`` as a sentence lists them: ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def venue_keys(exchange: str, *, live: bool, ask: Ask | None = None) -> VenueKeys:
    """The keys of ``exchange``: from the environment, else the keyring, else the encrypted file.

    ``live`` refuses the file. ``ask`` is called for its passphrase. The keys found are redacted in every log from then on.

    Raises:
        UsageError: there are none, not all parts of one, or they cannot be read; the message names the place and what to do.
    """
    found = from_environment(exchange) or _from_keyring(exchange) or _from_file(exchange, live=live, ask=ask)
    if found is None:
        raise UsageError(
            f"no API keys of {exchange}: set {listed(variables(exchange))}, or store them in the keyring with `arbtui keys set {exchange}`"
        )
    return found


def key_holder(exchange: str, *, live: bool, ask: Ask | None = None) -> VenueKeyHolder:
    """The keys of ``exchange`` in a holder that can read them again; a passphrase is asked for once.

    A process's environment does not change from outside: keys from there are rotated by a restart.

    Raises:
        UsageError: as :func:`venue_keys`.
    """
    asked: dict[str, SecretStr] = {}

    def once(what: str) -> SecretStr:
        if what not in asked:
            if ask is None:
                raise UsageError(f"{what} is needed, and there is no terminal to ask at")
            asked[what] = ask(what)
        return asked[what]

    return VenueKeyHolder(partial(venue_keys, exchange, live=live, ask=once))


def known_venue(exchange: str) -> str:
    """``exchange`` in lower case.

    Raises:
        UsageError: there is no such venue.
    """
    name = exchange.lower()
    if name not in VENUES:
        raise UsageError(f"no venue is named {exchange}; there are: {', '.join(VENUES)}")
    return name


def refusal(value: str, what: str) -> str | None:
    """Why ``value`` cannot be a part of a key; None when it can. Never contains the value."""
    if not value:
        return f"{what} is empty"
    if not re.fullmatch(r"[!-~]{1,4096}", value):
        return f"{what} holds a space, a line break or a letter that no key has; copy it anew, on one line"
    return None


def _keys(exchange: str, parts: Sequence[str], source: str) -> VenueKeys:
    """The key of ``exchange`` from its ``parts``, which are redacted in every log from now on."""
    forbid_core_dump()
    for part in parts:
        hide(part)
    wanted = VENUES[exchange].key_parts
    if len(parts) != len(wanted):
        raise UsageError(f"{source}: a key of {exchange} has a {listed(wanted)}; store it anew (arbtui keys set {exchange})")
    named = dict(zip(wanted, map(SecretStr, parts), strict=True))
    return VenueKeys(named["key"], named["secret"], source, named.get("passphrase", SecretStr("")))


def from_environment(exchange: str) -> VenueKeys | None:
    """The keys that the environment holds, None when it holds none.

    Raises:
        UsageError: only some of its parts, or an invalid one.
    """
    values = {name: os.environ.get(name, "").strip() for name in variables(exchange)}
    given = [name for name, value in values.items() if value]
    if not given:
        return None
    forbid_core_dump()
    for name, value in values.items():
        if not value:
            every = "both" if len(values) == 2 else f"all {len(values)}"
            raise UsageError(f"{given[0]} is set and {name} is not: a venue needs {every}")
        if complaint := refusal(value, name):
            raise UsageError(complaint)
    return _keys(exchange, list(values.values()), f"environment ({next(iter(values))})")


def _from_keyring(exchange: str) -> VenueKeys | None:
    keyring = OsKeyring()
    found = keyring.read(exchange)
    return None if found is None else _keys(exchange, found, f"keyring ({keyring.name})")


def _from_file(exchange: str, *, live: bool, ask: Ask | None) -> VenueKeys | None:
    file = KeyFile(key_file())
    if not file.exists or exchange not in file.venues():
        return None
    if live:
        raise UsageError(FILE_NOT_IN_LIVE.format(exchange=exchange, path=file.path, variables=listed(variables(exchange))))
    if ask is None:
        raise UsageError(f"keys of {exchange} are in {file.path}, and there is no terminal to ask for its passphrase at")
    return _keys(exchange, file.open(ask(f"the passphrase of {file.path}"))[exchange], f"file ({file.path})")
