"""Keeps secrets out of everything that is written: each is registered here once, and replaced wherever it appears.

Besides those, values under the names that venues use for secrets are masked: a fresh signature was
never registered. Loads little: what a kill says goes through it, too.
"""

import re
from urllib.parse import quote

_MASK = "[secret]"
_hidden: list[str] = []

#: `signature=ab12`, `"apiKey": "ab12"`, `X-MBX-APIKEY: ab12`, in queries, JSON, headers and reprs of them.
_NAMED = re.compile(
    r"""(?<![a-z])(signature|timestamp|(?:x-mbx-)?api[-_]?key|access[-_]?key|access[-_]?sign|secret(?:[-_]?key)?|passphrase"""
    r"""|listen[-_]?key|token|(?<=['"])sign)"""
    r"""(['"]?\s*[=:]\s*['"]?)[^\s'"&,;)}\]]+""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*")


def hide(secret: str) -> None:
    """From now on :func:`redact` replaces ``secret``, as it is, URL-quoted, and without a bot token's public number."""
    parts = [secret, secret.partition(":")[2]]
    for text in [*parts, *(quote(part, safe="") for part in parts), *(repr(part)[1:-1] for part in parts)]:
        if len(text) >= 4 and text not in _hidden:  # shorter ones would make every line unreadable, and are no secrets
            _hidden.append(text)
    _hidden.sort(key=len, reverse=True)


def redact(text: str) -> str:
    """``text`` without any hidden secret, and without the values under names of secrets."""
    for secret in _hidden:
        if secret in text:
            text = text.replace(secret, _MASK)
    text = _JWT.sub(_MASK, text)
    text = _BEARER.sub(rf"\1 {_MASK}", text)
    return _NAMED.sub(rf"\1\2{_MASK}", text)
