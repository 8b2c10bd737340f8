"""Selection of the forget set: classes or single images, the latter in a gallery; and the sizes of all sets."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from unlearn_core.charts.drawing.wording import capitalize
from unlearn_core.data.image_files import image_paths
from unlearn_core.data.standard_requests import corrective_requests, standard_requests
from unlearn_core.domain.method import RequestKind, kind_title
from unlearn_core.models import bundled_models
from unlearn_core.ui.components import point_picker
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.gallery import image_gallery
from unlearn_core.ui.gallery.image_texts import DatasetTexts
from unlearn_core.ui.gallery.listings import Listing
from unlearn_core.ui.pages.forget import difficulty_sets, file_picker, image_filters, selection_history
from unlearn_core.ui.pages.forget.image_filters import Known
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape

CORRECTION = """
Training images with a wrong label cost accuracy on the classes that they confuse. **Corrective unlearning** forgets
these images to bring it back.

* Forget **all of them**: the retrained model shows how much comes back without any wrong label.
* Forget **half of them**: in practice not every wrong label is found. The others stay in the retain set, so the
  retrained model learned them too, and even retraining may not correct the classes.

The report says under *Interclass confusion* whether the accuracy on their test images, whose labels are right, comes
back. An accuracy on the forget set counts predictions of the *wrong* label: there, less is better.
"""
HEIGHT, TRAY_HEIGHT = 480, 190
"""Heights in pixels of the gallery, and of the tray of selected images."""
TRAY_HINT = "The selected ones. Click deselects."
FORMER_PER_PAGE = 24
"""Images on a page of a former release."""
_KINDS: tuple[RequestKind, ...] = ("classes", "images")


def kind_choice(plan: RunPlan) -> None:
    """The switch between whole classes and single images; the selection of the other kind is remembered."""
    st.session_state["forget-by"] = plan.setup.by
    st.segmented_control(
        "What to forget",
        _KINDS,
        format_func=lambda kind: capitalize(kind_title(kind, plan.dataset.item_noun)),
        required=True,
        key="forget-by",
        label_visibility="collapsed",
        on_change=_apply_kind,
    )


def single_images(plan: RunPlan) -> None:
    """The training images; the selection survives filtering and leaving the page."""
    _standard(plan)
    _mislabelled(plan)
    if plan.dataset.is_points:
        _plane(plan)
    else:
        difficulty_sets.show(plan)
        file_picker.show(plan)
    _gallery(plan)


def footer(plan: RunPlan) -> None:
    """The sizes of forget set, retain set and test sets; and the button to the next page."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="foot"):
        if plan.split is None:
            st.markdown(escape(plan.error or ""), width="content")
        else:
            sizes = {name: len(rows) for name, rows in plan.split._asdict().items()}
            counts = sizes["forget_test"], sizes["retain_test"]
            test = " + ".join(f"{count:,}" for count in counts if count)
            st.markdown(f":orange[■] **{sizes['forget_train']:,}** in the forget set", width="content")
            st.markdown(f":green[■] **{sizes['retain_train']:,}** in the retain set", width="content")
            st.markdown(f"{test} test {plan.dataset.item_noun}s", width="content")
        st.space("stretch")
        selection_history.undo_button()
        st.button("Clear", type="tertiary", key="clear", on_click=_clear, disabled=plan.setup.forget is None)
        if st.button("Next: method", type="primary", key="next", disabled=plan.split is None):
            url_state.open_page("method")


def _plane(plan: RunPlan) -> None:
    """The plane, in which points are marked with a box or a lasso; a button then selects them."""
    chosen = plan.setup.images
    picked = point_picker.pick(plan.dataset, chosen, key=f"plane-{plan.dataset.id}-{len(chosen)}")
    new = tuple(sorted({*chosen, *(picked or ())}))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Select the {formatting.pluralize(len(picked), 'marked point')}" if picked else "Mark points first",
            key="tick-points",
            disabled=not picked,
            on_click=_select,
            args=(new,),
        )
        st.caption(
            "Drag a box around points, or use the lasso at the top right. Crosses are already selected.",
            width="content",
        )


def _standard(plan: RunPlan) -> None:
    """Requests whose retrained model is bundled, one click each: the quickest way to a report with a reference."""
    ready = {
        formatting.pluralize(len(forget.images), plan.dataset.item_noun): (name, forget.images)
        for name, forget in standard_requests(plan.dataset).items()
        if forget.kind == "images"
        and bundled_models.find_bundled(plan.classifier.id, forget, bundled_models.GOLD_SEED_OFFSET)
    }
    _offer(plan, "Random selections with a bundled retrained model:", ready, key="standard")


def _mislabelled(plan: RunPlan) -> None:
    """The images with a known wrong label, and half of them, as if only these were known."""
    found = corrective_requests(cache.image_dataset(plan.dataset.id).mislabelled)
    if not found:
        return
    every, half = ((name, forget.images) for name, forget in found.items())
    forget = next(iter(found.values()))
    gold = bundled_models.find_bundled(plan.classifier.id, forget, bundled_models.GOLD_SEED_OFFSET)
    _offer(
        plan,
        f"Images with a wrong label{', with a bundled retrained model' if gold else ''}:",
        {f"All {len(every[1]):,}": every, f"Half of them, {len(half[1]):,}": half},
        key="mislabelled",
        about=CORRECTION,
    )


def _offer(
    plan: RunPlan, words: str, requests: Mapping[str, tuple[str, tuple[int, ...]]], *, key: str, about: str = ""
) -> None:
    """A row of buttons that select these images; each has a label, a name and its images. `about` explains them."""
    if not requests:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key):
        st.caption(words, width="content")
        for label, (name, images) in requests.items():
            st.button(
                label,
                key=f"take-{name}",
                disabled=plan.setup.images == images,
                on_click=_select,
                args=(images,),
                help=f"Replaces the current selection by these {plan.dataset.item_noun}s.",
            )
        if about:
            with st.popover("What this shows", type="tertiary", key=f"about-{key}"):
                st.markdown(about)


def _gallery(plan: RunPlan) -> None:
    """All training images that pass the filters, and below them the tray of those that are selected."""
    every, noun = cache.image_dataset(plan.dataset.id), plan.dataset.item_noun
    facts = cache.image_facts(plan.classifier.id, plan.dataset.id, plan.classifier.seed)
    known = Known(every.labels[: every.train], facts, image_paths(plan.dataset))
    images = image_filters.listed_images(plan, known)
    image_filters.quick_picks(plan, known, images)
    if len(images):
        label = f"Training {noun}s of {plan.dataset.title}"
        _show(plan, known, images, key="gallery-all", label=label, height=HEIGHT, start=_former_page())
    else:
        nothing = st.session_state.get("gallery-ticked") and not plan.setup.images
        st.info(f"No {noun} is selected yet." if nothing else f"No {noun} matches.")
    if plan.setup.images:
        chosen = np.array(plan.setup.images)
        _show(plan, known, chosen, key="gallery-tray", label=f"Selected {noun}s", height=TRAY_HEIGHT, hint=TRAY_HINT)


def _show(
    plan: RunPlan, known: Known, images: np.ndarray, *, key: str, label: str, height: int, start: int = 0, **hint: str
) -> None:
    """Show images of which the selected ones are marked."""
    true_labels = cache.image_dataset(plan.dataset.id).true_labels
    texts = DatasetTexts(plan.dataset, known.labels, known.facts, known.paths, true_labels)
    version = f"{plan.classifier.id} {plan.classifier.seed} {known.facts is not None}"
    listing = Listing(plan.dataset.id, images, texts.describe, version, texts.lines)
    image_gallery.select_many(
        listing,
        plan.setup.images,
        _select,
        key=key,
        label=label,
        noun=plan.dataset.item_noun,
        bound=plan.dataset.train,
        height=height,
        start=start,
        **hint,
    )


def _former_page() -> int:
    """The first item of the page in a link of a former release, whose gallery had pages."""
    page = url_state.parse_number(st.query_params.get("gallery-page", ""))
    url_state.set_param("gallery-page", "")
    return 0 if page is None else max(0, page - 1) * FORMER_PER_PAGE


def _select(images: tuple[int, ...]) -> None:
    url_state.change(images=images)


def _apply_kind() -> None:
    url_state.change(by=st.session_state["forget-by"])


def _clear() -> None:
    url_state.change(**{url_state.current().by: ()})
