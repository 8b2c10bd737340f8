"""What to sweep: knobs and their ranges, who chooses the settings, what is aimed at, and how long it may take."""

from typing import Any

import streamlit as st
from pydantic import ValidationError

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.objectives import OBJECTIVES, check
from unlearn_core.domain.ranges import MOST_POINTS, Range
from unlearn_core.domain.run import GoldSpec
from unlearn_core.domain.sweep import LONGEST, MOST_KNOBS, MOST_TRIALS, SweepSpec
from unlearn_core.store.golds import Golds
from unlearn_core.store.home import home
from unlearn_core.ui import frame, gold, plan, process, session, setup, studio, sweep_ranges, words
from unlearn_core.ui.knobs import SWEPT
from unlearn_core.ui.plain import escape
from unlearn_core.ui.plan import Plan

SWEEP = "sweep"
"""What the address calls the number of a sweep; not `id`, which is a run's."""

SAMPLERS = {"grid": "Grid", "random": "Random", "tpe": "TPE", "nsga2": "NSGA-II"}
CHOICE = {
    "grid": "Every combination of evenly spread values: the clearest picture of one or two knobs.",
    "random": "Draws settings by chance: a fair picture of many knobs, which learns nothing on the way.",
    "tpe": "Tries more where trials were good (tree-structured Parzen estimators): soon near the best.",
    "nsga2": "Crosses the best trials of two aims (a genetic algorithm): a wide front, given some fifty trials.",
}
_POINTS = {1: 8, 2: 4}
"""Points a knob in a grid, by how many knobs it has."""


def show() -> None:
    """The form, filled in as the lab stands and as the address says."""
    now = plan.of(session.current())
    st.title("What do the knobs do?", anchor=False)
    _about(now)
    if now.trouble is not None or now.setup.forget is None:
        st.warning(escape(now.trouble or "Nothing is chosen to forget yet."), icon=":material/block:")
        return
    names = _knobs(now)
    if not names:
        st.caption("Choose one knob to see what it does, or several to look for the best settings.")
        return
    ranges = sweep_ranges.show(now, names)
    has_gold = now.setup.start is None and Golds(home()).is_there(now.spec.request, 0)
    values = _choices(now, ranges, has_gold)
    try:
        spec = _spec(now, values)
        check(spec, now.method, gold=has_gold)
    except ValidationError as problem:
        said = str(problem.errors()[0]["msg"]).removeprefix("Value error, ")
        st.warning(escape(f"This cannot be swept: {said}."), icon=":material/block:")
    except UnlearnError as problem:
        st.warning(escape(problem), icon=":material/block:")
    else:
        _start(now, spec)


def address(names: list[str]) -> dict[str, str]:
    """The query parameters under which the form opens with these knobs of the lab's method."""
    return setup.link(session.current()) | ({SWEPT: ",".join(names)} if names else {})


def _about(now: Plan) -> None:
    """What would be run again and again, and the ways to change it."""
    what = escape(now.title().removeprefix("Forget ")) if now.setup.forget is not None and not now.trouble else None
    each = plan.seconds(now, now.method, now.knobs)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words_ = f"Every trial is a run: **{escape(now.classifier.title)}** forgets {what}"
        cost = "" if each is None else f", {words.about(each)} each {now.pace.where}"
        st.markdown(f"{words_}{cost}." if what else f"**{escape(now.method.title)}**", width="content")
        st.space("stretch")
        for page, label, icon in (
            ("forget", "Forget something else", ":material/ink_eraser:"),
            ("method", "Another method", ":material/tune:"),
        ):
            if st.button(label, type="tertiary", icon=icon, key=f"sweep-to-{page}"):
                session.go(page)


def _knobs(now: Plan) -> list[str]:
    """The knobs that are swept, from the address at first and from the list afterwards; the address follows."""
    able = {name: knob for name, knob in now.method.params.knobs().items() if knob.kind != "numbers"}
    key = f"sweep-knobs-{now.method.id}"
    session.follow(key, SWEPT, lambda text: [name for name in text.split(",") if name in able][:MOST_KNOBS])
    wanted = setup.link(now.setup) | ({SWEPT: st.query_params[SWEPT]} if SWEPT in st.query_params else {})
    if st.query_params.to_dict() != wanted:  # so that the link opens the same in a fresh browser
        st.query_params.from_dict(wanted)
    picked = st.multiselect(
        "Knobs to sweep",
        list(able),
        format_func=lambda name: able[name].title,
        max_selections=MOST_KNOBS,
        placeholder=f"Choose from the {len(able)} knobs of {now.method.title}",
        key=key,
    )
    session.say(key, SWEPT, ",".join(picked))
    return picked


def _choices(now: Plan, ranges: list[Range], has_gold: bool) -> dict[str, Any]:
    """Who chooses, what is aimed at, and the budget, as fields of the spec."""
    count = "one" if len(ranges) == 1 else "more"
    left, middle, right = st.columns(3, gap="medium")
    with left:
        sampler = st.segmented_control(
            "Who chooses the settings?",
            list(SAMPLERS),
            default="grid" if count == "one" else "tpe",
            format_func=SAMPLERS.__getitem__,
            required=True,
            wrap=True,
            key=f"sweep-sampler-{count}",
        )
        st.caption(CHOICE[sampler])
    with middle:
        able = [name for name, one in OBJECTIVES.items() if has_gold or not one.needs_gold]
        aims = st.multiselect(
            "What is aimed at?",
            able,
            default=["distance"] if has_gold else ["forget", "retain"],
            format_func=lambda name: OBJECTIVES[name].title,
            max_selections=2,
            key=f"sweep-aims-{has_gold}",
            help="One or two. They are read from training and validation pictures; test pictures are only shown.",
        )
        for name in aims:
            st.caption(OBJECTIVES[name].explain)
        if not has_gold:
            _offer_gold(now)
    with right:
        budget = _grid(ranges) if sampler == "grid" else _budget()
        early = st.toggle(
            "Stop hopeless trials early",
            value=True,
            key="sweep-early",
            help="A trial ends when it is far behind the median of the finished ones at the same step of the same "
            "phase, in everything that is aimed at. It takes five finished trials before any is stopped.",
        )
    return {"ranges": ranges, "sampler": sampler, "objectives": aims, "early": early} | budget


def _offer_gold(now: Plan) -> None:
    if now.setup.start is not None:
        st.caption("A run that goes on from an earlier one has no gold, so only these can be aimed at.")
        return
    st.caption("There is no gold for this request, so distance to gold and privacy cannot be aimed at.")
    if st.button("Train gold in the background", type="tertiary", icon=":material/diamond:", key="sweep-gold"):
        number = gold.order(GoldSpec(request=now.spec.request), now.dataset)
        st.toast(f"Run {number} trains gold while nothing more urgent waits.")


def _grid(ranges: list[Range]) -> dict[str, Any]:
    """How fine a grid is; its size is the budget."""
    points = st.number_input(
        "Points a knob",
        min_value=2,
        max_value=MOST_POINTS,
        value=_POINTS.get(len(ranges), 3),
        key=f"sweep-points-{len(ranges)}",
        help="Evenly spread from one end to the other; choices have as many as they have.",
    )
    finer = [one.model_copy(update={"points": int(points)}) for one in ranges]
    size = 1
    for one in finer:
        size *= len(one.levels()) if one.values or (one.low or 0) < one.top else 1
    if size > MOST_TRIALS:
        st.caption(f"That would be {size:,} trials; the first {MOST_TRIALS} of them are made, drawn by chance.")
    return {"ranges": finer, "trials": max(2, min(size, MOST_TRIALS))}


def _budget() -> dict[str, Any]:
    kind = st.segmented_control(
        "Budget", ["trials", "minutes"], default="trials", required=True, key="sweep-budget", format_func=str.capitalize
    )
    if kind == "minutes":
        most = int(LONGEST)
        return {
            "minutes": st.number_input("Minutes of work", min_value=1, max_value=most, value=10, key="sweep-minutes")
        }
    return {"trials": st.number_input("Trials", min_value=2, max_value=MOST_TRIALS, value=24, key="sweep-trials")}


def _spec(now: Plan, values: dict[str, Any]) -> SweepSpec:
    ranges = [one.model_dump() for one in values.pop("ranges")]
    run = now.spec
    fixed = {"request": run.request, "start": run.start, "method": run.method, "params": run.params, "seed": run.seed}
    return SweepSpec.model_validate(fixed | values | {"ranges": ranges})


def _start(now: Plan, spec: SweepSpec) -> None:
    each = plan.seconds(now, now.method, now.knobs)
    if spec.minutes is not None:
        cost = f"up to {words.lasting(60 * spec.minutes)} of work"
    else:
        cost = words.counted(spec.most, "trial") + ("" if each is None else f", {words.about(each * spec.most)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Start the sweep", type="primary", icon=":material/play_arrow:", key="sweep-start"):
            number = studio.store().sweeps.submit(spec, title=now.title())
            process.see_to_it()
            st.switch_page(frame.page("sweep"), query_params={SWEEP: str(number)})
        st.caption(f"{cost}. Your own runs go first, and you can close this page meanwhile.", width="content")
