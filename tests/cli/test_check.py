"""What ``check`` prints fits a terminal of 80 columns where a profile has many venues and pairs."""

import pytest

from arbtui.cli.check import _told_in_words
from arbtui.settings.load import load_profile
from tests.cli.command import Here


def test_seven_venues_are_told_in_lines_of_80_columns(arbtui: Here) -> None:
    answer = arbtui("check", "--profile", "all-venues", "--mode", "sim")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("desk     counts in USDT; trades between upbit/binance, ")
    assert "coinone/binance" in "".join(lines)
    assert {line.split()[0] for line in lines if not line.startswith(" ")} == {"desk", "alerts", "routes", "rate", "limits", "all-venues:"}


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
