"""No order can have a client id that its venue would refuse: a venue's declaration checks its rule against how our ids are made."""

from dataclasses import replace

import pytest

from arbtui.exchanges.venue import ClientIdRule, ClientIds
from arbtui.exchanges.venues import VENUES
from arbtui.model.ids import ALPHABET, LENGTH, client_order_id, is_ours, unused_id

OURS = [client_order_id(f"salt{number}", f"{number}-cycle", number % 3, number % 5) for number in range(2000)]


def test_our_ids_are_as_they_are_declared() -> None:
    assert {len(one) for one in OURS} == {LENGTH}
    assert {letter for one in OURS for letter in one} == set(ALPHABET)
    assert len(set(OURS)) == len(OURS)


@pytest.mark.parametrize("name", VENUES)
def test_a_venue_takes_every_id_of_ours_and_that_of_a_question(name: str) -> None:
    rule = VENUES[name].client_ids
    assert [one for one in OURS if not rule.takes(one)] == []
    assert rule.takes(unused_id(1_790_000_000_000))
    assert not rule.takes("a" * (rule.longest + 1))
    assert not rule.takes("")
    assert not rule.takes("ours,and a comma")


@pytest.mark.parametrize(
    "rule",
    [
        ClientIds(ClientIdRule.UNIQUE_FOREVER, longest=LENGTH - 1),
        ClientIds(ClientIdRule.UNIQUE_FOREVER, longest=36, characters="A-Z0-9"),
        ClientIds(ClientIdRule.UNIQUE_WHILE_OPEN, longest=36, characters="0-9"),
        ClientIds(ClientIdRule.UNIQUE_WHILE_OPEN, longest=36, characters="a-z2-6"),
    ],
    ids=["one character short", "capitals", "digits", "one letter less"],
)
@pytest.mark.parametrize("name", VENUES)
def test_a_venue_that_would_refuse_them_cannot_be_declared(name: str, rule: ClientIds) -> None:
    with pytest.raises(ValueError, match="no order could be sent"):
        replace(VENUES[name], client_ids=rule)


def test_the_id_of_a_question_is_no_orders() -> None:
    asked = {unused_id(1_790_000_000_000 + ms) for ms in range(100)}
    assert len(asked) == 100
    assert {len(one) for one in asked} == {LENGTH}
    assert not any(map(is_ours, asked))
