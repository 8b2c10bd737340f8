"""The forget images by the attack's membership probability, one page of thumbnails at a time."""

import streamlit as st

from unlearn_core.charts.drawing.wording import MODEL_LABELS
from unlearn_core.charts.report.member_scores import (
    CHART,
    MemberScore,
    is_member_only_after,
    list_member_scores,
    reference_model,
)
from unlearn_core.domain.report import MODEL_TITLES, Report
from unlearn_core.ui.components import paged_grid
from unlearn_core.ui.shell import cache, url_state
from unlearn_core.ui.shell.markdown import escape

PER_PAGE = 24


def show(report: Report) -> None:
    """Show thumbnails, most confident first; nothing where the chart above has explained why there are none."""
    if CHART.applies(report) is not True:
        return
    found, other = list_member_scores(report), reference_model(report)
    noun = report.dataset.item_noun
    st.subheader(f"Forget {noun}s by membership probability", anchor=False)
    only = [score for score in found if is_member_only_after(score, other)]
    choices = {"all": f"All {len(found):,}", "only": f"Only after, not {MODEL_LABELS[other]}: {len(only):,}"}
    former = f"After and not {other}: {len(only):,}"
    url_state.accept_former_labels("recognised-which", {former: choices["only"]})
    name = st.segmented_control(
        "Members",
        list(choices),
        default="all",
        format_func=choices.__getitem__,
        required=True,
        label_visibility="collapsed",
        key="recognised-which",
        bind="query-params",
    )
    if name == "only" and not only:
        st.caption(f"No {noun} is classified as a member only after unlearning, and not for {MODEL_TITLES[other]}.")
        return
    _page(report, only if name == "only" else found, other)


def _page(report: Report, items: list[MemberScore], reference: str) -> None:
    pages, noun = -(-len(items) // PER_PAGE), report.dataset.item_noun
    page = paged_grid.choose_page(len(items), PER_PAGE, key=f"recognised-page-{pages}")
    grid = page.place.grid(6, min_column_width=76, gap="xsmall")
    for item in items[page.items]:
        name = escape(report.dataset.classes[item.label])
        scores = [
            f"{MODEL_LABELS[model]} {100 * item.scores[model]:.0f}\N{NO-BREAK SPACE}%" for model in ("after", reference)
        ]
        with grid.cell():
            st.image(
                cache.thumbnail(report.dataset.id, item.image),
                caption=" · ".join(scores),
                width="stretch",
                alt=f"{name}, {noun} {item.image}; membership probability: {', '.join(scores)}",
            )
    st.caption(
        f"Below each {noun}: the attack's probability that it was a member, for the unlearned model and for "
        f"{MODEL_TITLES[reference]}. Most confident first."
    )
