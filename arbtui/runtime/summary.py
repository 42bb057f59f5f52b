"""A run's own measurements, joined with the engine's into the `--json` summary."""

from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

from arbtui.engine.engine import Engine
from arbtui.model.histogram import Quantiles
from arbtui.monitoring.lag import LagProbe
from arbtui.monitoring.levels import Levels
from arbtui.monitoring.loop_profiler import ProfiledSelector
from arbtui.monitoring.resources import ResourceSampler
from arbtui.runtime.bare_timer import BareTimer
from arbtui.runtime.update_metrics import UpdateMetrics
from arbtui.runtime.venues import Venues
from arbtui.settings.profile import Settings
from arbtui.views.summary import engine_summary, messages_summary


@dataclass(slots=True)
class Run:
    """What is known of a run besides its engine. Times in monotonic seconds of the run's clock, ``wall`` and ``cpu`` real."""

    settings: Settings
    engine: Engine
    update_metrics: UpdateMetrics
    lag: LagProbe
    turns: ProfiledSelector | None  #: None in virtual time
    resources: ResourceSampler
    baseline_mb: float
    max_runtime_s: float | None
    wall_at: float = field(default_factory=perf_counter)
    cpu_at: float = field(default_factory=process_time)
    closed_at: float = 0.0
    drained_at: float = 0.0
    levels: Levels = field(init=False)
    bare_timer: BareTimer | None = None  #: that waited for the run's end, too
    start: dict[str, Any] | None = None  #: how it started, as JSON can hold it

    def __post_init__(self) -> None:
        self.levels = Levels(self.engine.components.journal.path)

    def start_timing(self) -> None:
        """From here on the loop's lag and turns count; real time only."""
        self.lag.start()
        if self.turns is not None:
            self.turns.start()

    def stop_timing(self) -> None:
        """The run is over; what was measured stays readable."""
        self.lag.stop()
        if self.turns is not None:
            self.turns.stop()


def summarise(run: Run, stop_reason: str, venues: Venues) -> dict[str, Any]:
    """The summary, as in docs/interface.md. CPU percentages are of one core over the run's real time."""
    simulator = venues.simulator
    simulator_cpu_s = simulator.cpu_s if simulator is not None else 0.0
    started = run.update_metrics.first_at if run.update_metrics.first_at is not None else run.closed_at
    runtime = run.closed_at - started
    wall = max(perf_counter() - run.wall_at, 1e-9)
    process_cpu = process_time() - run.cpu_at
    updates = run.update_metrics.updates
    resources = run.resources
    return {
        "profile": run.settings.name,
        "mode": run.settings.mode,
        "seed": run.settings.simulator.seed,
        "runtime_s": round(runtime, 6),
        "wall_s": round(wall, 6),
        "drain_s": round(run.drained_at - run.closed_at, 6),
        "max_runtime_s": run.max_runtime_s,
        "bare_timer_late_ms": _late_ms(run.bare_timer),
        "stop_reason": stop_reason,
        "start": _start(run),
        "updates": updates,
        "updates_per_s": round(updates / runtime, 3) if runtime > 0 else 0.0,
        **engine_summary(run.engine),
        **messages_summary(run.engine),
        "decision_us": _us(run.update_metrics),
        "staleness_ms": _ms(run.update_metrics.staleness.quantiles()),
        "loop_lag_ms": _ms(run.lag.run()),
        "loop_turns": _turns(run.turns),
        "engine": {
            "us_per_update": round(run.update_metrics.cpu_s / updates * 1e6, 3) if updates else 0.0,
            "cpu_percent": round(max(0.0, process_cpu - simulator_cpu_s) / wall * 100, 3),
        },
        "simulator": {
            "cpu_percent": round(simulator_cpu_s / wall * 100, 3),
            "rss_mb": round(venues.build_rss / 1e6, 3),
            "messages": simulator.messages if simulator is not None else None,
            "skipped_s": round(simulator.skipped_s, 3) if simulator is not None else None,
        },
        "cpu_percent": {"avg": round(process_cpu / wall * 100, 3), "max": round(max(resources.cpu_max, process_cpu / wall * 100), 3)},
        "rss_mb": {"baseline": round(run.baseline_mb, 3), "avg": round(resources.rss_avg, 3), "max": round(resources.rss_max, 3)},
        "samples": resources.samples,
        "resources": [list(sample) for sample in resources.series],
        "levels": run.levels.facts(),
    }


def _start(run: Run) -> dict[str, Any] | None:
    """How it started, without what tells one machine from another."""
    return None if run.start is None else {name: run.start[name] for name in ("seconds", "last_end", "steps")}


def _late_ms(timer: BareTimer | None) -> float | None:
    return None if timer is None or timer.late_s is None else round(timer.late_s * 1000, 3)


def _us(update_metrics: UpdateMetrics) -> dict[str, float]:
    decision = update_metrics.decision.quantiles()
    return {"p50": round(decision.p50 * 1000, 3), "p99": round(decision.p99 * 1000, 3), "max": round(decision.max * 1000, 3)}


def _ms(measured: Quantiles) -> dict[str, float | None]:
    if not measured.count:  # virtual time: nothing is ever late, which says nothing of real time
        return {"p50": None, "p99": None, "max": None}
    return {"p50": round(measured.p50, 3), "p99": round(measured.p99, 3), "max": round(measured.max, 3)}


def _turns(turns: ProfiledSelector | None) -> dict[str, float | int] | None:
    if turns is None:
        return None
    return {
        "count": turns.turns,
        "longest_ms": round(turns.longest_ms, 3),
        "longest_at_s": round(turns.longest_at_s, 3),
        "over_10_ms": turns.long,
        "stalls": turns.stalls,
        "longest_cpu_wait_ms": round(turns.longest_wait_ms, 3),
        "cpu_wait_percent": round(turns.waited_percent, 3),
    }
