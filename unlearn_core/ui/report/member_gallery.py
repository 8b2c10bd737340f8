"""The forgotten pictures by how surely an attack calls them members, a page of thumbnails at a time."""

import streamlit as st

from unlearn_core.charts.report.member_scores import (
    CHART,
    MemberScore,
    is_member_only_after,
    list_member_scores,
    reference_model,
)
from unlearn_core.domain.report import Report
from unlearn_core.ui.shell import cache
from unlearn_core.ui.shell.markdown import escape

PER_PAGE = 24


def show(report: Report) -> None:
    """Thumbnails, the surest first; nothing where the chart above them has said why there is none."""
    if CHART.applies(report) is not True:
        return
    found, other = list_member_scores(report), reference_model(report)
    st.subheader("The pictures themselves", anchor=False)
    only = [one for one in found if is_member_only_after(one, other)]
    choices = {"all": f"All {len(found):,}", "only": f"After and not {other}: {len(only):,}"}
    name = st.segmented_control(
        "Pictures",
        list(choices),
        default="all",
        format_func=choices.__getitem__,
        required=True,
        label_visibility="collapsed",
        key="recognised-which",
        bind="query-params",
    )
    if name == "only" and not only:
        st.caption(f"No picture is called a member after and not by {other}.")
        return
    _page(report, only if name == "only" else found, other)


def _page(report: Report, items: list[MemberScore], reference: str) -> None:
    pages = -(-len(items) // PER_PAGE)
    slot = st.container()
    with st.container(horizontal=True, horizontal_alignment="center"):
        page = min(st.pagination(pages, key=f"recognised-page-{pages}", bind="query-params"), pages)
    grid = slot.grid(6, min_column_width=76, gap="xsmall")
    for one in items[(page - 1) * PER_PAGE : page * PER_PAGE]:
        name = escape(report.dataset.classes[one.label])
        said = [f"{model} {100 * one.scores[model]:.0f}\N{NO-BREAK SPACE}%" for model in ("after", reference)]
        with grid.cell():
            st.image(
                cache.thumbnail(report.dataset.id, one.image),
                caption=" · ".join(said),
                width="stretch",
                alt=f"{name}, picture {one.image}; called a member: {', '.join(said)}",
            )
    st.caption(f"Beneath each: how surely the attack calls it a member, after and {reference}. The surest come first.")
