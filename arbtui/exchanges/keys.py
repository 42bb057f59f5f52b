"""A venue's API keys, and their replacement during a run. Where they are stored is not known here."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from arbtui.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class VenueKeys:
    """An API key of one venue. ``source`` is where it was found, as text; nothing here prints a secret."""

    key: SecretStr
    secret: SecretStr
    source: str
    passphrase: SecretStr = field(default_factory=lambda: SecretStr(""))  #: of venues whose keys have one

    @property
    def tail(self) -> str:
        """The last four characters of the key (never of the secret), to distinguish two keys."""
        return tail(self.key.get_secret_value())


def tail(key: str) -> str:
    """The last four characters of ``key``; of a short one none, since four would be too much of it."""
    return f"...{key[-4:]}" if len(key) >= 12 else "..."


class VenueKeyHolder:
    """The keys in use at one venue.

    A rotation: the operator stores the new keys, the venue refuses the old ones (or they expire), and the code that
    receives the refusal calls :meth:`reread`. Requests go out under :meth:`current`.

    Args:
        read: finds the keys. It may read files or query the OS, so call it off the event loop: ``await asyncio.to_thread(holder.reread)``.

    Raises:
        UsageError: ``read`` found none.
    """

    def __init__(self, read: Callable[[], VenueKeys]) -> None:
        self._read = read
        self._current = read()

    def current(self) -> VenueKeys:
        """The keys to sign requests with."""
        return self._current

    def reread(self) -> bool:
        """After the venue refused the keys: True when different ones were found. A failed read changes nothing."""
        try:
            found = self._read()
        except UsageError:
            return False
        if (found.key, found.secret, found.passphrase) == (self._current.key, self._current.secret, self._current.passphrase):
            return False
        self._current = found
        return True
