"""Follow a run, then read its report."""

from unlearn_core.domain.report import Report
from unlearn_core.domain.run import RunState
from unlearn_core.ui.pages.run import live, page
from unlearn_core.ui.report import report_view

found = page.requested_run()
if found is None:
    page.show_nothing()
elif isinstance(found, Report):
    report_view.show(found, None)
elif found.state is RunState.DONE or page.report_so_far(found):
    page.show_done(found)
elif not found.state.is_finished:
    live.show(found)
else:
    page.show_ended(found)
