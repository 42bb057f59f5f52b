"""Judges alert rules by the metrics of one look: which of them hold, for how long they have, and whom to tell."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isnan, nan

from prometheus_client.core import Metric

from arbtui.model.counted import counted
from arbtui.monitoring.rule_config import RuleConfig

#: One series: labels and value.
Series = tuple[Mapping[str, str], float]
#: Told of a rule that holds: its name, the rule, the scope and what is the matter. What it gives is given back once it is over.
Tell = Callable[[str, RuleConfig, str, str], str]
#: Scopes of one rule at most; labels have few values, and what has more is no alert.
_MOST_SCOPES = 200
_TAKE: Mapping[str, Callable[[Iterable[float]], float]] = {"sum": sum, "max": max, "min": min}


@dataclass(slots=True)
class _Scope:
    """What is remembered of one rule at one scope."""

    past: deque[tuple[float, float]] = field(default_factory=deque)  #: second and value, of the time that it looks back
    holds_since: float = inf
    told_at: float = -inf
    told: str | None = None  #: what telling gave, while it holds
    unheard: int = 0  #: how often it has begun to hold within the cool-down
    is_counted: bool = False  #: this time was one of those


class MetricRules:
    """The rules of a profile.

    Args:
        tell: see :data:`Tell`.
        over: told what ``tell`` gave, once the rule holds no more.
    """

    def __init__(self, rules: Mapping[str, RuleConfig], tell: Tell, over: Callable[[str], None]) -> None:
        self._rules = rules
        self._tell = tell
        self._over = over
        self._wanted = {rule.metric for rule in rules.values()}
        self._scopes: dict[str, dict[str, _Scope]] = {name: {} for name in rules}

    def collect(self, families: Iterable[Metric]) -> Iterator[Mapping[str, list[Series]]]:
        """What the rules read, by name; after each family what there is so far, so that others can have their turn."""
        found: dict[str, list[Series]] = {}
        for family in families:
            for sample in family.samples:
                if sample.name in self._wanted:
                    found.setdefault(sample.name, []).append((sample.labels, sample.value))
            yield found

    def look(self, found: Mapping[str, Sequence[Series]], now: float) -> None:
        """Judge every rule at ``now`` (monotonic s)."""
        for name, rule in self._rules.items():
            series = found.get(rule.metric, ())
            known = self._scopes[name]
            values = _by_scope(rule, series)
            for scope in [*values, *(scope for scope in known if scope not in values)]:
                if scope in known or len(known) < _MOST_SCOPES:
                    self._judge(name, rule, scope, known.setdefault(scope, _Scope()), values.get(scope, nan), now)

    def _judge(self, name: str, rule: RuleConfig, scope: str, at: _Scope, value: float, now: float) -> None:
        judged = _judged(rule, at, value, now)
        if judged is None or not _holds(rule, judged):
            if at.told is not None:
                self._over(at.told)
            at.holds_since, at.told, at.is_counted = inf, None, False
            return
        at.holds_since = min(at.holds_since, now)
        held_s = now - at.holds_since
        if at.told is not None or held_s < rule.for_s:
            return
        if now - at.told_at < rule.cool_down_s:
            at.unheard += not at.is_counted
            at.is_counted = True
            return
        at.told = self._tell(name, rule, scope, _words(rule, judged, held_s, at.unheard))
        at.told_at, at.unheard = now, 0


def _by_scope(rule: RuleConfig, series: Sequence[Series]) -> dict[str, float]:
    """The one number of each scope; NaN where no series of it has a value."""
    values: dict[str, list[float]] = {} if rule.by else {"": []}
    for labels, value in series:
        if all(labels.get(label) == wanted for label, wanted in rule.where.items()):
            values.setdefault(labels.get(rule.by, ""), []).append(value)
    take = _TAKE[rule.take]
    return {scope: take(known) if (known := [one for one in all_ if not isnan(one)]) else nan for scope, all_ in values.items()}


def _judged(rule: RuleConfig, at: _Scope, value: float, now: float) -> float | None:
    """The number that the rule compares; None where that is not known yet."""
    if rule.kind in ("threshold", "absence"):
        return value
    if isnan(value):
        at.past.clear()
        return None
    at.past.append((now, value))
    while len(at.past) > 1 and at.past[1][0] <= now - rule.over_s:
        at.past.popleft()
    began, before = at.past[0]
    if now - began < rule.over_s:
        return None
    return (value - before) / (now - began) if rule.kind == "rate" else abs(value - before)


def _holds(rule: RuleConfig, judged: float) -> bool:
    if rule.kind == "absence":
        return isnan(judged)
    return judged > rule.above if rule.above is not None else rule.below is not None and judged < rule.below


def _words(rule: RuleConfig, judged: float, held_s: float, unheard: int) -> str:
    what = f"{rule.metric}{{{', '.join(f'{label}={value}' for label, value in rule.where.items())}}}" if rule.where else rule.metric
    since = f" for {held_s:.0f} s" if held_s >= 1 else ""
    again = f"; {counted(unheard, 'time')} before, within the cool-down" if unheard else ""
    if rule.kind == "absence":
        return f"{what} has no value{since}{again}"
    bound = f"above {rule.above:g}" if rule.above is not None else f"below {rule.below:g}"
    how = {"threshold": "is", "rate": "rises a second by", "change": f"changed in {rule.over_s:g} s by"}[rule.kind]
    return f"{what} {how} {judged:g}, {bound}{since}{again}"
