"""``arbtui sandbox`` with canary keys for its play keys: ``python -m tests.lifecycle.canary_sandbox ARGUMENTS...``."""

import sys

from arbtui.cli import main
from arbtui.sandbox import sandbox
from arbtui.sandbox.keys import DEFAULT_KEYS, Key
from tests.lifecycle.canary import Canary

#: What the venues take. A key, a secret and the signatures made with it are all that leads to an account.
CANARIES = {name: Canary(name, f"canary-{name}-key-4f1c77e0b2d94a6f", f"canary+{name}/secret-93b5d01c6e=7f") for name in DEFAULT_KEYS}
KEYS = {name: Key(canary.key, canary.secret) for name, canary in CANARIES.items()}

if __name__ == "__main__":
    sandbox.play_key = lambda venue, **more: KEYS[venue]  # type: ignore[attr-defined]
    sys.exit(main())
