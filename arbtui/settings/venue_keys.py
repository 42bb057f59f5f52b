"""Where a venue's API keys come from: the environment, the OS keyring, or the encrypted file; never a profile or a flag."""

import os
import re
from collections.abc import Callable
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
    "(arbtui keys set {exchange} --store keyring) or into {key} and {secret}"
)


def variables(exchange: str) -> tuple[str, str]:
    """The environment variables of a venue's key and secret."""
    return f"ARBTUI_{exchange.upper()}_KEY", f"ARBTUI_{exchange.upper()}_SECRET"


def venue_keys(exchange: str, *, live: bool, ask: Ask | None = None) -> VenueKeys:
    """The keys of ``exchange``: from the environment, else the keyring, else the encrypted file.

    ``live`` refuses the file. ``ask`` is called for its passphrase. The keys found are redacted in every log from then on.

    Raises:
        UsageError: there are none, half of them, or they cannot be read; the message names the place and what to do.
    """
    found = from_environment(exchange) or _from_keyring(exchange) or _from_file(exchange, live=live, ask=ask)
    if found is None:
        key, secret = variables(exchange)
        raise UsageError(
            f"no API keys of {exchange}: set {key} and {secret}, or store them in the keyring with `arbtui keys set {exchange}`"
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
    """Why ``value`` cannot be a key or secret; None when it can. Never contains the value."""
    if not value:
        return f"{what} is empty"
    if not re.fullmatch(r"[!-~]{1,4096}", value):
        return f"{what} holds a space, a line break or a letter that no key has; copy it anew, on one line"
    return None


def _keys(key: str, secret: str, source: str) -> VenueKeys:
    forbid_core_dump()
    hide(key)
    hide(secret)
    return VenueKeys(SecretStr(key), SecretStr(secret), source)


def from_environment(exchange: str) -> VenueKeys | None:
    """The keys that the environment holds, None when it holds none.

    Raises:
        UsageError: only half of them, or an invalid one.
    """
    names = variables(exchange)
    key, secret = (os.environ.get(name, "").strip() for name in names)
    if not key and not secret:
        return None
    forbid_core_dump()
    for name, value, other in zip(names, (key, secret), reversed(names), strict=True):
        if not value:
            raise UsageError(f"{other} is set and {name} is not: a venue needs both")
        if complaint := refusal(value, name):
            raise UsageError(complaint)
    return _keys(key, secret, f"environment ({names[0]})")


def _from_keyring(exchange: str) -> VenueKeys | None:
    keyring = OsKeyring()
    found = keyring.read(exchange)
    return None if found is None else _keys(*found, f"keyring ({keyring.name})")


def _from_file(exchange: str, *, live: bool, ask: Ask | None) -> VenueKeys | None:
    file = KeyFile(key_file())
    if not file.exists or exchange not in file.venues():
        return None
    if live:
        key, secret = variables(exchange)
        raise UsageError(FILE_NOT_IN_LIVE.format(exchange=exchange, path=file.path, key=key, secret=secret))
    if ask is None:
        raise UsageError(f"keys of {exchange} are in {file.path}, and there is no terminal to ask for its passphrase at")
    return _keys(*file.open(ask(f"the passphrase of {file.path}"))[exchange], f"file ({file.path})")
