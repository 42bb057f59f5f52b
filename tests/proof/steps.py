"""How long a Hypothesis state machine runs: short in the suite, as long as asked in a proof."""

import os

from hypothesis import settings

#: Set by `python -m tests.proof` to the number of steps over all of a machine's runs.
VARIABLE = "PROOF_STEPS"
#: Likewise, to the seconds that a check which runs in real time goes on.
SECONDS = "PROOF_SECONDS"
#: Likewise, to the messages a second that a check wants to see in the engine.
MESSAGES = "PROOF_MESSAGES"
#: Likewise, to the number of single bits that are turned over in a journal, one at a time.
FLIPS = "PROOF_FLIPS"
#: Likewise, to how often a live engine is killed.
KILLS = "PROOF_KILLS"
#: Likewise, to the number of simulated power cuts.
CUTS = "PROOF_CUTS"
#: Likewise, to the number of stories whose crashes are power cuts.
STORIES = "PROOF_STORIES"
#: Likewise, to the number of writes and syncs that fail, one a life.
DISK_FAULTS = "PROOF_DISK_FAULTS"
#: Likewise, to the number of seeds that a check tries.
SEEDS = "PROOF_SEEDS"
_STEPS_A_RUN = 100


def machine_settings(examples: int, steps: int) -> settings:
    """``examples`` runs of ``steps`` steps each; in a proof, as many runs of 100 steps as make the number asked for."""
    asked = int(os.environ.get(VARIABLE, "0"))
    if asked:
        examples, steps = max(1, asked // _STEPS_A_RUN), _STEPS_A_RUN
    return settings(max_examples=examples, stateful_step_count=steps)
