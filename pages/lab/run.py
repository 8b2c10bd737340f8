"""Watch a run as it goes, and read what it did."""

from unlearn_core.domain.report import Report
from unlearn_core.domain.run import RunState
from unlearn_core.ui import live, report, run

found = run.find()
if found is None:
    run.nothing()
elif isinstance(found, Report):
    report.show(found, None)
elif not found.state.is_finished:
    live.show(found)
elif found.state is RunState.DONE:
    run.done(found)
else:
    run.ended(found)
