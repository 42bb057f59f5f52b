"""The ending of a run: its reason and exit code, what is saved last, and what is told."""

from arbtui.journal.events import RunEnded
from arbtui.marketdata.recording_feed import RecordingFeed
from arbtui.model.errors import ArbtuiError
from arbtui.runtime.exit_summary import exit_summary
from arbtui.runtime.plan import Plan
from arbtui.runtime.replay_report import messages_in_words, shortfall
from arbtui.runtime.session_recorder import SessionRecorder
from arbtui.runtime.stop import Stop
from arbtui.runtime.summary import Run, summarise
from arbtui.runtime.venues import Venues
from arbtui.settings.output import say

#: s that the last comparison of balances may take: a stop waits for no venue that is silent, and for no ban to be over.
_COMPARED_WITHIN_S = 5.0


async def end(run: Run, plan: Plan, venues: Venues, stop: Stop, recorder: SessionRecorder | None) -> int:
    """End a run whose tasks are done: last marks, snapshot, journal, recording, summary; its exit code (docs/interface.md).

    What is left open at a venue outranks every other code; a recording or a summary that cannot be written changes only a clean one.
    """
    engine, components = run.engine, run.engine.components
    journal = components.journal
    if not run.closed_at:
        run.closed_at = run.drained_at = components.clock.monotonic()
    error = stop.error or journal.failure  # the console goes on after a failed journal, halted, until somebody ends it
    reason = "error" if error is not None else "kill" if components.halt.is_closed else stop.reason
    code = 3 if engine.unsettled else stop.code or (1 if error is not None else 0)
    if journal.failure is None:
        await engine.compare_positions(_COMPARED_WITHIN_S)  # a busy market is seldom quiet while it runs; now it is
        engine.marks.take("end")
        engine.episodes.close()
        engine.breaches.end()
        await engine.snapshot(venues.simulator_state())
        damage = components.journal.failure  # what the last look at the file has found
        if damage is None:
            await journal.commit(RunEnded(components.run_id, reason, code))  # closing the journal writes its tip
        else:
            error, reason, code = error or damage, "error", code or 1
    if recorder is not None:
        recorder.close()
        if recorder.failure is not None:
            say(str(recorder.failure))
            code = code or 1
    notes = venues.feed.notes if isinstance(venues.feed, RecordingFeed) else None
    if plan.top_check is not None and reason == "end_of_data":  # a replay that came to its end
        counts = components.aggregator.counts
        say(f"replayed {messages_in_words(counts)}")
        for line in notes.in_words() if notes is not None else ():
            say(line)
        if short := shortfall(counts):
            say(short)
            code = code or 2
    if plan.json is not None:
        run.resources.sample()  # a run in virtual time, or of less than a second, has no other
        summary = summarise(run, reason, venues)
        if plan.top_check is not None:
            plan.top_check.finish()
            summary["top_check"] = {"places": plan.top_check.places, "equal": plan.top_check.equal}
        if notes is not None:
            summary["recorded"] = notes.facts()
        if recorder is not None:
            summary["recording"] = recorder.summary()
        if plan.fingerprint is not None:
            summary["fingerprint"] = plan.fingerprint.summary()
        try:
            plan.json.write(summary)
        except ArbtuiError as failure:  # everything else is saved, and its code is worth more
            say(str(failure))
            code = code or failure.exit_code
    summary_line = exit_summary(run, reason)
    say(summary_line if error is None else f"{str(error) or type(error).__name__}; {summary_line}")
    return code
