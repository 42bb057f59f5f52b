"""The keys that a process outside the engine has of a profile's venues: for cancelling, so each venue counts by itself."""

from pydantic import SecretStr

from arbtui.exchanges.keys import VenueKeyHolder
from arbtui.model.errors import UsageError
from arbtui.settings.profile import Settings
from arbtui.settings.venue_keys import Ask, key_holder

OwnKeys = dict[str, VenueKeyHolder]


def own_keys(settings: Settings, *, live: bool, ask: Ask | None = None) -> tuple[OwnKeys, dict[str, str]]:
    """The keys that are found, by venue, and of each other venue of ``settings`` why there are none.

    ``live`` passes over the encrypted file; else ``ask`` is called for its passphrase, once for all venues.
    """
    typed: dict[str, SecretStr] = {}

    def once(what: str) -> SecretStr:
        if what not in typed:
            if ask is None:
                raise UsageError(f"{what} is typed at a terminal, and there is none here")
            typed[what] = ask(what)
        return typed[what]

    found: OwnKeys = {}
    lacks: dict[str, str] = {}
    for name in settings.exchanges:
        try:
            found[name] = key_holder(name, live=live, ask=once)
        except UsageError as error:
            lacks[name] = str(error)
    return found, lacks
