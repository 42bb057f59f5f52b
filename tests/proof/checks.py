"""Every long check, in the order in which they run."""

from collections.abc import Sequence

from tests.proof.check import Check
from tests.proof.mutation.fixed import FixedMutants
from tests.proof.mutation.package import PackageMutation
from tests.proof.open_won import OpenWon
from tests.proof.pytest_check import PytestCheck
from tests.proof.simulation import PlantedBugs, Stories
from tests.proof.steps import FLIPS, MESSAGES, SECONDS, SEEDS, VARIABLE

CHECKS: Sequence[Check] = (
    FixedMutants(),
    PytestCheck(
        "machine-portfolio",
        "20,000 steps of random journals: live = fold(journal) = after restart, and PnL = the change of equity",
        "tests/portfolio/test_fold_machine.py::TestLife",
        VARIABLE,
        steps=20_000,
        limit_s=3600.0,
    ),
    PytestCheck(
        "live-random-faults",
        "600 s of live against the sandbox with random faults and missed legs: audit agrees, what is one-sided is named",
        "tests/lifecycle/test_random_faults.py::test_random_faults_and_missed_legs_lose_nothing_and_leave_nothing_unnamed",
        SECONDS,
        steps=600,
        limit_s=3600.0,
    ),
    PytestCheck(
        "outage",
        "60 s without either venue under a live session: it trades within 5 s of the first good answer",
        "tests/faults/test_streams.py::test_after_an_outage_trading_goes_on_at_once",
        SECONDS,
        steps=60,
        limit_s=600.0,
        unit="s",
        tells=("back for ", "outage of "),
    ),
    OpenWon(
        "open-won",
        "50 seeds with the rate moving 50 bps: netting takes most of the result's variance away, at the predicted cost",
        50,
        120.0,
    ),
    OpenWon("open-won-ci", "the same with 3 seeds", 3, 120.0, in_ci=True),
    PytestCheck(
        "kill-sources",
        "a kill from each source and from all at once, and a halt of each depth and scope, during 10,000 messages/s in the engine",
        "tests/lifecycle/test_kill_sources.py",
        MESSAGES,
        steps=10_000,
        limit_s=3600.0,
        unit="messages/s",
        tells=("KILL ", "HALT "),
    ),
    PytestCheck(
        "kill-points",
        "killed at each of 18 points of live against the sandbox, 50 seeds a point: the next start loses nothing and sends nothing twice",
        "tests/lifecycle/test_kill_points.py",
        SEEDS,
        steps=50,
        limit_s=8 * 3600.0,
        unit="seeds",
        tells=("KILLED ",),
    ),
    PytestCheck(
        "bit-flips",
        "400 single bits turned over in a closed journal: each is refused in a sentence, or changes nothing that is read",
        "tests/lifecycle/test_bit_flips.py::test_f45_a_bit_that_was_turned_over_is_refused_or_changes_nothing",
        FLIPS,
        steps=400,
        limit_s=3600.0,
        unit="flips",
        tells=("FLIPS ",),
    ),
    PytestCheck(
        "bit-flips-ci",
        "the same with 40",
        "tests/lifecycle/test_bit_flips.py::test_f45_a_bit_that_was_turned_over_is_refused_or_changes_nothing",
        FLIPS,
        steps=40,
        limit_s=600.0,
        in_ci=True,
        unit="flips",
        tells=("FLIPS ",),
    ),
    Stories("simulate", "300 stories of 3 virtual minutes with all faults: no invariant broken", 300, 3.0),
    Stories("simulate-hours", "3 stories of 1 virtual hour, likewise", 3, 60.0),
    Stories("simulate-ci", "20 stories of 1 virtual minute, likewise", 20, 1.0, in_ci=True),
    PlantedBugs("simulate-planted", "six planted bugs, each found within 300 stories", 300, 1.0),
    PackageMutation("execution", ("tests/execution", "tests/engine", "tests/failover")),
    PackageMutation("risk", ("tests/risk", "tests/execution/test_gate.py", "tests/engine")),
    PackageMutation("journal", ("tests/journal", "tests/failover")),
    PackageMutation("exchanges", ("tests/exchanges",)),
    PackageMutation("portfolio", ("tests/portfolio", "tests/execution", "tests/engine", "tests/failover")),
)
