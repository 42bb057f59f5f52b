"""What became of the messages of a replay, in words; and whether it could read less than it should."""

from collections.abc import Mapping

from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.marketdata.counts import ExchangeCounts
from arbtui.model.counted import counted


def messages_in_words(counts: Mapping[str, ExchangeCounts]) -> str:
    """``upbit: 1,733 messages, 1,733 decoded (1,063 whole books, 670 trades)``: every message decoded or named, by exchange."""
    told = []
    for exchange, one in counts.items():
        if not one.read:
            continue
        kinds = ((one.snapshots, "whole books"), (one.diffs, "changes"), (one.touches, "best prices"), (one.trades, "trades"))
        what = [f"{count:,} {kind}" for count, kind in kinds if count]
        what += [f"{one.outside:,} of markets outside the run"] if one.outside else []
        parts = [f"{one.decoded:,} decoded" + (f" ({', '.join(what)})" if what else "")]
        if one.named:
            parts.append(f"{sum(one.named.values()):,} of types that are not used ({_kinds(one.named)})")
        if one.malformed:
            parts.append(f"{sum(one.malformed.values()):,} malformed ({_kinds(one.malformed)})")
        told.append(f"{exchange}: {one.read:,} messages, {', '.join(parts)}")
    if told and not any(one.decoded > one.outside for one in counts.values()):
        told.append("nothing of this is of the run's markets: name the recorded assets in [universe] symbols")
    return "; ".join(told) or "no message"


def shortfall(counts: Mapping[str, ExchangeCounts]) -> str:
    """Why the replay is worth less than its files say, and what to do; empty when it has read everything."""
    read = sum(one.read for one in counts.values())
    malformed = sum(sum(one.malformed.values()) for one in counts.values())
    if not read:
        return "the recording holds no message; nothing was replayed"
    if malformed:
        which = ", ".join(f"{name} ({_kinds(one.malformed)})" for name, one in counts.items() if one.malformed)
        return (
            f"{malformed:,} of {counted(read, 'message')} could not be decoded: {which}; what was replayed is less than what was recorded. "
            f"Is the file of that venue, and whole? Decoders: {', '.join(PUBLIC_STREAMS)}"
        )
    return ""


def _kinds(table: Mapping[str, int]) -> str:
    most = sorted(table.items(), key=lambda item: -item[1])
    told = ", ".join(f"{kind} {count:,}" for kind, count in most[:5])
    return f"{told}, ..." if len(most) > 5 else told
