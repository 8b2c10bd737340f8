"""The forget images by the attack's membership probability, in a gallery whose selection can be forgotten again."""

from functools import partial

import numpy as np
import streamlit as st

from unlearn_core.charts.drawing.wording import MODEL_LABELS
from unlearn_core.charts.privacy.member_scores import (
    CHART,
    MemberScore,
    is_member_only_after,
    list_member_scores,
    reference_model,
)
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.report import MODEL_TITLES, Report
from unlearn_core.ui.gallery import image_gallery
from unlearn_core.ui.gallery.listings import Description, Listing, describe
from unlearn_core.ui.shell import formatting, url_state


def show(report: Report) -> None:
    """Show the images, most confident first; nothing where the chart above has explained why there are none."""
    if CHART.applies(report) is not True:
        return
    found, other = list_member_scores(report), reference_model(report)
    noun = report.dataset.item_noun
    st.header(f"Forget {noun}s by membership probability", anchor=False)
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
    _gallery(report, only if name == "only" else found, other)


def _gallery(report: Report, items: list[MemberScore], reference: str) -> None:
    dataset, by_image = report.dataset, {item.image: item for item in items}

    def describe_all(images: np.ndarray) -> list[Description]:
        return [_describe(dataset, by_image[image], reference) for image in images.tolist()]

    images = np.array(list(by_image))
    chosen = [image for image in st.session_state.get(_key(report), ()) if image in by_image]
    image_gallery.select_many(
        Listing(dataset.id, images, describe_all, f"members {report.fingerprint}", lines=3),
        chosen,
        partial(st.session_state.__setitem__, _key(report)),
        key=f"recognised-{report.run}",
        label=f"Forget {dataset.item_noun}s by membership probability",
        noun=dataset.item_noun,
        bound=len(report.labels),
    )
    st.caption(
        f"Below each {dataset.item_noun}: the attack's probability that it was a member, for the unlearned model and "
        f"for {MODEL_TITLES[reference]}. Most confident first."
    )
    count = formatting.pluralize(len(chosen), f"selected {dataset.item_noun}")
    if st.button(
        f"Forget the {count} again",
        icon=":material/ink_eraser:",
        key="recognised-forget",
        disabled=not chosen,
        help="Selects them on the page Forget, for another run. Select images above first.",
    ):
        url_state.load_spec(report.spec)
        url_state.change(by="images", images=tuple(sorted(chosen)))
        url_state.open_page("forget")


def _describe(dataset: DatasetCard, item: MemberScore, reference: str) -> Description:
    name = dataset.classes[item.label]
    scores = [
        f"{MODEL_LABELS[model]} {100 * item.scores[model]:.0f}\N{NO-BREAK SPACE}%" for model in ("after", reference)
    ]
    return describe(f"{name} {item.image}", *scores, details="membership probabilities")


def _key(report: Report) -> str:
    return f"recognised selected {report.run}"
