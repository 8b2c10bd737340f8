"""Follow a run, then read its report."""

import streamlit as st

from unlearn_core.domain.report import Report
from unlearn_core.domain.run import RunState
from unlearn_core.ui.pages.run import live, page, presenter
from unlearn_core.ui.room import slides

found = page.requested_run()
if slides.is_open() and not isinstance(found, Report) and (found is None or not page.has_report(found)):
    presenter.leave()
    st.rerun()
if found is None:
    page.show_nothing()
elif isinstance(found, Report):
    page.show_report(found, None)
elif found.state is RunState.DONE or page.report_so_far(found):
    page.show_done(found)
elif not found.state.is_finished:
    live.show(found)
else:
    page.show_ended(found)
