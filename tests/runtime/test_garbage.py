"""Full collections stay short: what survived one is not walked by the next, and everything is put back at the end."""

import gc

from arbtui.runtime.garbage import THRESHOLDS, _freeze_survivors, keep_collections_short, short_collections


def test_each_object_is_walked_by_one_full_collection() -> None:
    before = gc.get_threshold()
    with short_collections():
        keep_collections_short()
        keep_collections_short()
        assert gc.get_threshold() == THRESHOLDS
        kept = [[number] for number in range(1_000)]
        assert len(gc.get_objects()) >= len(kept)
        gc.collect()
        assert len(gc.get_objects()) < len(kept)
    assert gc.get_threshold() == before
    assert _freeze_survivors not in gc.callbacks  # those of other libraries come and go
    assert gc.get_freeze_count() == 0


def test_cycles_of_the_young_are_collected_as_ever() -> None:
    with short_collections():
        keep_collections_short()
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1


def test_what_a_start_has_made_puts_no_full_collection_off() -> None:
    full: list[int] = []

    def noted(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2:
            full.append(gc.get_freeze_count())

    made = [[number] for number in range(100_000)]
    with short_collections():
        keep_collections_short()
        gc.callbacks.append(noted)
        try:
            kept = [[number] for number in range(10_000)]
        finally:
            gc.callbacks.remove(noted)
    assert len(full) >= 3
    assert len(made) + len(kept) == 110_000
