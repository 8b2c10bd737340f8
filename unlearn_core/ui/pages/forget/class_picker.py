"""Selection of whole classes: one card per class with examples, on several pages if there are many classes."""

import streamlit as st

from unlearn_core.ui.components import paged_grid
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape

PER_PAGE = 20
"""Cards per page: images for hundreds of cards would take seconds to make and megabytes to send."""

FEW = 20
"""Below this many test images, an accuracy is given as a count: one image would be more than 5 %."""

_PAGE, _FIND, _TICKED = "gallery-classes", "gallery-find", "gallery-chosen"


def show(plan: RunPlan) -> None:
    """One card per class: examples, a checkbox, and the accuracy of the classifier on it."""
    if len(plan.dataset.classes) > PER_PAGE:
        _paged(plan)
    else:
        _cards(plan, range(len(plan.dataset.classes)))
    if _accuracies(plan) is not None:
        count = formatting.pluralize(plan.dataset.test, f"test {plan.dataset.item_noun}")
        st.caption(f"Accuracies refer to {count}, which were not used for training.")


@st.fragment
def _paged(plan: RunPlan) -> None:
    """Hundreds of classes: searched by a part of their name, or page by page."""
    found = _filtered(plan)
    if not found:
        st.info("No class matches." if st.session_state[_FIND].strip() else "No class is selected yet.")
        return
    page = paged_grid.choose_page(len(found), PER_PAGE, key=_PAGE)
    with page.place:
        _cards(plan, found[page.items])


def _filtered(plan: RunPlan) -> list[int]:
    """Draw the row of filters, and return the classes that pass them."""
    classes, chosen = plan.dataset.classes, url_state.current().classes
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = st.text_input(
            "Find a class",
            placeholder="part of its name",
            key=_FIND,
            bind="query-params",
            icon=":material/search:",
            width=260,
            on_change=_first_page,
        )
        only = st.toggle("Only selected", key=_TICKED, bind="query-params", on_change=_first_page)
        st.caption(f"{len(chosen):,} of {len(classes):,} classes selected", width="content")
    wanted = query.strip().casefold()
    numbers = chosen if only else range(len(classes))
    return [number for number in numbers if wanted in classes[number].casefold()]


def _cards(plan: RunPlan, numbers: list[int] | range) -> None:
    accuracies, chosen = _accuracies(plan), url_state.current().classes
    counts = cache.test_counts(plan.dataset.id)
    grid = st.grid(5, min_column_width=150)
    for number in numbers:
        name = plan.dataset.classes[number]
        with grid.cell(), st.container(border=True, gap="xsmall"):
            shown = cache.class_preview(plan.dataset.id, number)
            if shown is None:
                st.caption(f"no training {plan.dataset.item_noun}")
            else:
                st.image(shown, width="stretch", alt=f"Training {plan.dataset.item_noun}s of the class {name}")
            key = f"class-{plan.dataset.id}-{number}"
            st.session_state[key] = number in chosen
            st.checkbox(escape(name), key=key, on_change=_tick, args=(number, key))
            if accuracies is not None:
                accuracy = accuracies[number]
                st.caption("accuracy unknown" if accuracy is None else _accuracy(accuracy, counts[number]))


def _accuracy(accuracy: float, count: int) -> str:
    """An accuracy in per cent; of few test images, of how many."""
    if count >= FEW:
        return f"accuracy {round(100 * accuracy)} %"
    return f"accuracy {round(count * accuracy)} of {count}"


def _accuracies(plan: RunPlan) -> list[float | None] | None:
    return cache.class_accuracies(plan.classifier.id, plan.dataset.id, plan.classifier.seed)


def _first_page() -> None:
    st.session_state[_PAGE] = 1


def _tick(number: int, key: str) -> None:
    chosen = {*url_state.current().classes}
    url_state.change(classes=tuple(sorted(chosen | {number} if st.session_state[key] else chosen - {number})))
    st.rerun()  # The whole page: run bar, footer and URL show what is selected.
