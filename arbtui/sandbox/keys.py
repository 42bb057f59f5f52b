"""The API keys that a sandbox venue knows: play keys, printed at start, worth nothing anywhere else."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Key:
    """One API key. A real trading key reads and trades and cannot withdraw; tests may make others."""

    key: str
    secret: str = field(repr=False)
    can_trade: bool = True
    can_withdraw: bool = False


#: What `arbtui sandbox` prints. They are public: whoever can reach the loopback port may play.
DEFAULT_KEYS: dict[str, Key] = {
    "upbit": Key("sandbox-upbit", "sandbox-upbit-secret"),
    "binance": Key("sandbox-binance", "sandbox-binance-secret"),
}
#: Who asks where no key is needed.
NOBODY = Key("", "", can_trade=False)
