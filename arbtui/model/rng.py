"""Randomness from one seed: every consumer draws from its own stream, so adding one does not change the others."""

import hashlib
import random


class Rng:
    """Makes named, independent random streams from one integer seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> random.Random:
        """A generator that depends on the seed and ``name`` only."""
        digest = hashlib.sha256(f"{self.seed}:{name}".encode()).digest()
        return random.Random(int.from_bytes(digest[:8], "big"))
