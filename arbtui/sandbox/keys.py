"""The API keys that a sandbox venue knows: test keys, printed at start, without value anywhere else."""

from dataclasses import dataclass, field

from arbtui.simulation.played_venue import DEFAULT_VENUES


@dataclass(frozen=True, slots=True)
class Key:
    """One API key. A real trading key reads and trades and cannot withdraw; tests may make others."""

    key: str
    secret: str = field(repr=False)
    can_trade: bool = True
    can_withdraw: bool = False
    passphrase: str = field(default="", repr=False)  #: the third part, where the venue's keys have one


def play_key(venue: str, *, passphrase: bool = False) -> Key:
    """The key that ``arbtui sandbox`` prints for a venue; ``passphrase``: whether its keys have one."""
    return Key(f"sandbox-{venue}", f"sandbox-{venue}-secret", passphrase=f"sandbox-{venue}-passphrase" if passphrase else "")


#: Of the venues that are played where nobody names any. They are public: any process that reaches the loopback port may use them.
DEFAULT_KEYS: dict[str, Key] = {name: play_key(name) for name in DEFAULT_VENUES}
#: Stands for the key where a call needs none.
NO_KEY = Key("", "", can_trade=False)
