"""Text of announcements as rules compare it: one spelling, no decoration; and the phrases of rules."""

import re
import unicodedata
from functools import cached_property, lru_cache

_HANGUL = re.compile(r"[가-힣ㄱ-ㅣ]")
_GAP = " .. "
#: Unicode's categories of what is no part of a sentence: pictures, what steers a terminal, what is not assigned.
_NO_LETTERS = frozenset({"So", "Sk", "Cc", "Cf", "Co", "Cn", "Cs"})


def plain_text(text: str) -> str:
    """``text`` in one spelling (NFKC: ``USDⓈ-M`` is ``USDS-M``), with pictures and invisible characters gone; lines stay lines."""
    spelled = unicodedata.normalize("NFKC", text)
    kept = (" " if unicodedata.category(one) in _NO_LETTERS and one != "\n" else one for one in spelled)
    return re.sub(r"[^\S\n]+", " ", "".join(kept)).strip()


class Phrase:
    """One phrase of a rule; see ``rules.toml`` for how it is written."""

    def __init__(self, written: str) -> None:
        self.written = written
        self._is_korean = _HANGUL.search(written) is not None
        self._parts = [_squeezed(part) if self._is_korean else part.casefold() for part in written.split(_GAP)]
        self._words = self._parts if self._is_korean else [word.removesuffix("*") for part in self._parts for word in part.split()]

    def stands_in(self, title: str) -> bool:
        """Whether ``title``, made by :func:`plain_text`, holds it."""
        text = _squeezed(title) if self._is_korean else title.casefold()
        return all(word in text for word in self._words) and self._pattern.search(text) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made for the first text that holds all its words: most of the 400 phrases meet none, and a start would wait for all of them."""
        return re.compile(".*".join(re.escape(part) if self._is_korean else _pattern_of(part) for part in self._parts), re.DOTALL)


@lru_cache(maxsize=256)
def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text.casefold())


def _pattern_of(part: str) -> str:
    """A pattern of words that stand alone; ``*`` after one is any ending, and blanks may be hyphens."""
    words = [re.escape(word.removesuffix("*")) + (r"\w*" if word.endswith("*") else "") for word in part.split()]
    return r"(?<!\w)" + r"[\s-]+".join(words) + r"(?!\w)"
