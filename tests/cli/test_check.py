"""What ``check`` prints fits a terminal of 80 columns where a profile has many pairs."""

import pytest

from arbtui.cli.check import _desk_lines, _told_in_words
from arbtui.settings.load import load_profile


def test_the_pairs_of_seven_venues_are_told_in_lines_of_80_columns() -> None:
    settings = load_profile("all-venues")
    text = _desk_lines(settings)
    lines = text.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("desk     counts in USDT; trades between upbit/binance, ")
    assert all(line.startswith(" " * 9) for line in lines[1:])
    told = " ".join(line.strip() for line in lines).partition(" between ")[2].split(", ")
    assert told == ["/".join(pair) for pair in settings.pairs]


@pytest.mark.parametrize(
    ("enabled", "second", "said"),
    [
        ((), ["email", "services"], "nobody is told of them: enable [telegram], [email] or [services]"),
        (("email",), ["email", "services"], "e-mail to 1 address"),
        (
            ("telegram", "email"),
            ["email", "services"],
            "Telegram to 2 chats; a CRITICAL that nobody acknowledges also by e-mail to 1 address",
        ),
        (("telegram", "email"), [], "Telegram to 2 chats and e-mail to 1 address"),
    ],
)
def test_who_is_told_of_alerts_is_said(enabled: tuple[str, ...], second: list[str], said: str) -> None:
    settings = load_profile("upbit-binance")
    settings = settings.model_copy(
        update={
            "alerts": settings.alerts.model_copy(update={"second": second}),
            "telegram": settings.telegram.model_copy(update={"enabled": "telegram" in enabled, "chat_ids": [1, 2]}),
            "email": settings.email.model_copy(update={"enabled": "email" in enabled, "recipients": ["desk@example.org"]}),
        }
    )
    assert _told_in_words(settings) == said
