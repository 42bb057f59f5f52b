"""The API keys that a sandbox venue knows: test keys, printed at start, without value anywhere else."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Key:
    """One API key. A real trading key reads and trades and cannot withdraw; tests may make others."""

    key: str
    secret: str = field(repr=False)
    can_trade: bool = True
    can_withdraw: bool = False


#: What `arbtui sandbox` prints. They are public: any process that reaches the loopback port may use them.
DEFAULT_KEYS: dict[str, Key] = {
    "upbit": Key("sandbox-upbit", "sandbox-upbit-secret"),
    "binance": Key("sandbox-binance", "sandbox-binance-secret"),
}
#: Stands for the key where a call needs none.
NO_KEY = Key("", "", can_trade=False)
