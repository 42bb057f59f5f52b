"""Finds the kill key, ctrl and a letter (K), in a terminal's bytes, before they are parsed.

Legacy terminals send one control byte (0x0b for K). The kitty protocol (CSI u) sends the key's code point and modifiers,
with Hangul on also the letter that lies there on the Korean (2-set) layout; xterm's modifyOtherKeys sends ``CSI 27 ;
modifiers ; code ~``. Text inside a bracketed paste is not a key. Other modifiers besides ctrl do not matter: a wrong halt is
cheap, a missed one is not.
"""

import re

from arbtui.console.hangul import JAMO

_TOKEN = re.compile(
    rb"\x1b\[200~|\x1b\[201~|[\x01-\x1a]"
    rb"|\x1b\[(?P<code>\d+)(?::\d*)?(?::(?P<base>\d+))?;(?P<mods>\d+)(?::\d)?(?:;[\d:]*)?u"
    rb"|\x1b\[27;(?P<xmods>\d+);(?P<xcode>\d+)~"
)
_PARTIAL = re.compile(rb"\x1b(?:\[[\d:;]*)?$")
_CTRL = 0b100
_LONGEST = 64

PASTE_SILENCE_S = 2.0
"""s without a byte after which a paste counts as over: one whose end never comes must not disable the key."""

PRESS_SILENCE_S = 0.1
"""s without a byte after which the kill key is a press within a paste, too: somebody who keeps pressing it leaves no longer silence."""


class KillKeyScanner:
    """Takes every byte read, in order; it handles sequences and pastes that are split between two reads.

    Args:
        letter: the letter that, with ctrl, halts trading, ``a`` to ``z``.
    """

    def __init__(self, letter: str = "k") -> None:
        self._byte = bytes((ord(letter) - ord("a") + 1,))
        self._codes = frozenset(map(ord, (letter, letter.upper(), JAMO[letter])))
        self._tail = b""
        self._pasting = False
        self._last = 0.0

    def forgets_paste(self, now: float, data: bytes = b"") -> bool:
        """True once when a paste has lost its end, so that ``data``, read at ``now``, and what follows is typed.

        That is when nothing came for :data:`PASTE_SILENCE_S`, or for :data:`PRESS_SILENCE_S` before the kill key.
        """
        silence = now - self._last
        lost = self._pasting and (silence > PASTE_SILENCE_S or (silence > PRESS_SILENCE_S and self._begins_with_kill(data)))
        if lost:
            self._pasting = False
        return lost

    def feed(self, data: bytes, now: float) -> bool:
        """True when ``data``, read at ``now`` (monotonic seconds), holds the kill key."""
        self.forgets_paste(now, data)
        self._last = now
        data = self._tail + data
        partial = _PARTIAL.search(data)
        self._tail = data[partial.start() :] if partial and len(data) - partial.start() < _LONGEST else b""
        found = False
        for token in _TOKEN.finditer(data):
            text = token.group()
            if text == b"\x1b[200~":
                self._pasting = True
            elif text == b"\x1b[201~":
                self._pasting = False
            elif not self._pasting and self._is_kill(token):
                found = True
        return found

    def _begins_with_kill(self, data: bytes) -> bool:
        token = _TOKEN.match(data)
        return token is not None and self._is_kill(token)

    def _is_kill(self, token: re.Match[bytes]) -> bool:
        if len(token.group()) == 1:
            return token.group() == self._byte
        mods = token["mods"] or token["xmods"]
        codes = (token["code"], token["base"], token["xcode"])
        return bool((int(mods) - 1) & _CTRL) and any(int(code) in self._codes for code in codes if code)
