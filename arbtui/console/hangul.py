"""The Korean two-set (dubeolsik) keyboard: which keys somebody pressed whose input method turned them into Hangul.

Layout: KS X 5002. Standard library only.
"""

import unicodedata

JAMO = dict(zip("qwertyuiopasdfghjklzxcvbnm", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", strict=True))
"""The jamo on each letter key."""

_KEYS = {jamo: key for key, jamo in JAMO.items()}
_KEYS |= dict(zip("ㅃㅉㄸㄲㅆㅒㅖ", "QWERTOP", strict=True))  # with shift
_KEYS |= dict(zip("ㅘㅙㅚㅝㅞㅟㅢ", ("hk", "ho", "hl", "nj", "np", "nl", "ml"), strict=True))
_KEYS |= dict(zip("ㄳㄵㄶㄺㄻㄼㄽㄾㄿㅀㅄ", ("rt", "sw", "sg", "fr", "fa", "fq", "ft", "fx", "fv", "fg", "qt"), strict=True))

# Unicode decomposes every form of Hangul (syllables, compatibility and halfwidth jamo) to the conjoining jamo of these rows.
_CONJOINING = {
    **dict(enumerate("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", 0x1100)),
    **dict(enumerate("ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ", 0x1161)),
    **dict(enumerate("ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ", 0x11A8)),
}


def pressed(character: str) -> str:
    """The letter keys that give ``character``: ``p`` for ㅔ, ``rk`` for 가; empty when it is not Hangul. Capitals are shifted."""
    if len(character) != 1 or character < "\u1100":
        return ""
    return "".join(_KEYS.get(_CONJOINING.get(ord(part), ""), "") for part in unicodedata.normalize("NFKD", character))


def as_latin(text: str) -> str:
    """``text`` with its Hangul as the letters that were pressed for it."""
    return "".join(pressed(character) or character for character in text)


def latin_key(key: str) -> str:
    """A key's name with the letter that lies under its jamo: ``ctrl+q`` for ``ctrl+ㅂ``; any other key as it is."""
    *modifiers, base = key.split("+")
    letter = pressed(base)
    if len(letter) != 1:
        return key
    if modifiers == ["shift"]:
        return letter.upper()
    return "+".join([*modifiers, letter])
