"""Alert rules of a profile: what a metric must do for a person to be told."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from arbtui.model.config import Config
from arbtui.monitoring.metric_names import METRICS

RuleKind = Literal["threshold", "rate", "change", "absence"]
#: Rules of one profile at most: each look asks all of them.
MOST_RULES = 100


class RuleConfig(Config):
    """One rule. Metrics, their labels and units: docs/monitoring.md and http://127.0.0.1:9464/metrics ."""

    metric: str
    """name of the metric, such as arbtui_orders_unknown; a counter's ends with _total, of a histogram there are _count and _sum."""

    kind: RuleKind = "threshold"
    """what is compared: its value; its "rate" a second or its "change" over over_s; "absence": that it has no value (NaN or no series)."""

    where: dict[str, str] = Field(default={}, max_length=10)
    """labels that a series must have to count, such as { tier = "exchange" }; empty: all of them."""

    by: str = Field(default="", max_length=30)
    """label whose every value is judged for itself, such as "exchange", and is the breach's scope; empty: all series as one, global."""

    take: Literal["sum", "max", "min"] = "sum"
    """how the series that are judged as one become one number."""

    above: float | None = None
    """the rule holds where it is more than this, in the metric's unit; NaN never is."""

    below: float | None = None
    """the rule holds where it is less than this; NaN never is."""

    for_s: float = Field(default=0.0, ge=0, le=86_400)
    """s for which it must hold without a break before anybody is told."""

    over_s: float = Field(default=300.0, ge=10, le=86_400)
    """s that rate and change look back; a run that is younger is not judged."""

    severity: Literal["CRIT", "WARN", "INFO"] = "WARN"
    """CRIT waits for a person and is escalated, WARN is counted, INFO is told and is no breach."""

    cool_down_s: float = Field(default=3_600.0, ge=60, le=604_800)
    """s in which one rule tells of one scope only once, however often it begins to hold anew."""

    action: str = Field(default="look at the console", min_length=1, max_length=200)
    """what whoever is told should do."""

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        labels = METRICS.get(self.metric)
        if labels is None:
            raise ValueError(f"metric: {self.metric!r} is none{_near(self.metric, METRICS)}")
        for key, label in (*(("where", name) for name in self.where), *((("by", self.by),) if self.by else ())):
            if label not in labels:
                has = f"it has {', '.join(labels)}" if labels else "it has no labels"
                raise ValueError(f"{key}: {self.metric} has no label {label!r}; {has}")
        bounds = [key for key in ("above", "below") if getattr(self, key) is not None]
        if self.kind == "absence" and bounds:
            raise ValueError(f"{bounds[0]}: what has no value is not {bounds[0]} anything; take the key out")
        if self.kind != "absence" and len(bounds) != 1:
            raise ValueError(f"above, below: a rule of kind {self.kind!r} has one of them, this one has {len(bounds) or 'none'}")
        return self


def _one_sentence(given: Any) -> Any:
    """The rules, or one sentence that says which is wrong, where and how."""
    if not isinstance(given, Mapping):
        return given
    if len(given) > MOST_RULES:
        raise ValueError(f"{len(given)} rules are more than {MOST_RULES}")
    rules = {}
    for name, rule in given.items():
        if not str(name).replace("_", "").isalnum() or len(str(name)) > 40:
            raise ValueError(f"{name}: a rule's name has letters, digits and _, 40 at most")
        try:
            rules[name] = rule if isinstance(rule, RuleConfig) else RuleConfig.model_validate(rule)
        except ValidationError as error:
            raise ValueError(f"{name}{_sentence(error)}") from None
    return rules


def _sentence(error: ValidationError) -> str:
    detail = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "value_error":
        start, _, rest = str(detail["ctx"]["error"]).partition(": ")
        return f": {start}: {rest}"
    if not key:
        return ': expected a table of keys, such as { metric = "arbtui_orders_unknown", above = 0 }'
    if detail["type"] == "extra_forbidden":
        return f": {key} is no key of a rule{_near(key, RuleConfig.model_fields)}"
    if detail["type"] == "missing":
        return f": {key} is missing"
    message = str(detail["msg"])
    return f": {key} = {str(detail['input'])[:40]!r}: {message[:1].lower()}{message[1:]}"


def _near(name: str, right: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, right, n=1)
    return f"; did you mean {close[0]}?" if close else ""


#: The rules of a profile by their names.
Rules = Annotated[dict[str, RuleConfig], BeforeValidator(_one_sentence)]
