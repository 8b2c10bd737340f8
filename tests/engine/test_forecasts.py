"""Forecasts: ranges in words, what they are made of, and that they hold on recorded runs."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pytest

from unlearn_core.engine.forecasts.duration import HOUR, Forecast, format_range, total
from unlearn_core.engine.forecasts.here import of_run, of_training, spec_work, this_machine
from unlearn_core.engine.forecasts.predict import Machine, Work, predict
from unlearn_core.store.queue import cpu_load
from unlearn_core.store.queue.rates import Rate
from unlearn_core.store.queue.run_store import RunStore

RECORDED = Path(__file__).with_name("recorded_runs.csv")
"""Real runs on two cores beside other programs of varying number, in order of time."""

IDLE = Machine("cpu", 2, 0.0)
WORK = Work("unsir", 9_672, 13_000, "cifar10-sample")


def took(unlearning: float, other: float = 8.0, load: float | None = 0.0, method: str = "unsir") -> Rate:
    """A recorded run like the default one."""
    return Rate(method, WORK.dataset, unlearning / WORK.trained, other, load)


def expect(*rates: Rate, machine: Machine = IDLE, work: Work = WORK, cost: float | None = 1.0) -> Forecast:
    found = predict(work, rates, machine, lambda: cost)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (15.4, 24.2, "15 to 25 s"),
        (2.0, 2.0, "about 2 s"),
        (0.1, 0.8, "about 1 s"),
        (3.9, 9.1, "3 to 10 s"),
        (48, 130, "45 s to 2.5 minutes"),
        (61, 65, "60 to 65 s"),
        (100, 179, "1.5 to 3 minutes"),
        (8.5 * 60, 21 * 60, "8 to 25 minutes"),
        (50 * 60, 2.6 * HOUR, "50 minutes to 3 hours"),
        (5 * HOUR, 9 * HOUR, "5 to 9 hours"),
        (1.5 * HOUR, 1.5 * HOUR, "about 1.5 hours"),
        (30 * HOUR, 200 * HOUR, "30 hours to 9 days"),
        (100 * 86_400, 400 * 86_400, "100 to 400 days"),
    ],
)
def test_a_range_is_said_in_round_numbers(low: float, high: float, words: str) -> None:
    assert format_range(low, high) == words == str(Forecast(low, high, measured=True))


def test_ranges_add_up() -> None:
    one, other = Forecast(1.0, 2.0, measured=True), Forecast(10.0, 30.0, measured=False)
    assert one.times(4) == Forecast(4.0, 8.0, measured=True)
    assert total([one, other]) == Forecast(11.0, 32.0, measured=False)
    assert total([one, None]) is None
    assert not one.is_long and Forecast(1.0, HOUR, measured=True).is_long


def test_before_anything_ran_the_shipped_figures_count_and_are_marked() -> None:
    found = expect()
    assert not found.measured and found.low < 16 < found.high < 60
    dearer = expect(cost=10.0)
    assert 7 < dearer.high / found.high < 10
    assert predict(WORK, [], IDLE, lambda: None) is None, "nothing is known about such a model"
    assert expect(machine=IDLE._replace(load=2.0)).high == pytest.approx(3 * found.high, rel=0.2)


def test_runs_of_the_method_decide() -> None:
    rates = [took(40.0), took(42.0), took(41.0)]
    found = expect(*rates, took(8.0, method="ssd"), took(8.0, method="scrub"))
    assert found.measured and found.low < 49 < found.high < 2 * found.low
    assert expect(*rates, cost=50.0) == expect(*rates), "shipped figures do not count any more"
    half = expect(*rates, work=WORK._replace(trained=WORK.trained / 2))
    assert half.low < 20.5 + 8 < half.high, "only what is trained is halved"


def test_other_methods_say_how_fast_this_machine_is() -> None:
    slow, fast = (expect(*[took(seconds, method="finetune")] * 4) for seconds in (80.0, 8.0))
    assert slow.measured and slow.low > fast.high
    training = expect(*[took(8.0)] * 4, work=Work(None, 300_000))
    assert training.low < 300_000 / WORK.trained * 8 * 1.2 < training.high


def test_one_slow_run_spoils_nothing() -> None:
    """Eighteen minutes once, as a run of 16 seconds took beside other work (../docs/operations.md)."""
    slow = took(1_000.0, other=80.0, load=1.9)
    for others in ([took(8.0), took(8.2), took(8.4)], [took(8.0), took(8.3)], [took(8.0)]):
        assert expect(slow, *others).high < 40
    unknown = slow._replace(load=None)
    assert expect(unknown, took(8.0), took(8.2), took(8.1)).high < 40
    alone = expect(slow)
    assert alone.low < 20, "a first run that was slow leaves the short time possible"


def test_jobs_that_contradict_each_other_give_no_absurd_range() -> None:
    found = expect(*[took(2.0, method="ssd")] * 3, *[took(9_000.0, method="finetune")] * 3)
    assert found.high / found.low < 25


def test_the_load_of_then_is_translated_to_that_of_now() -> None:
    beside_two = Machine("cpu", 2, 2.0)
    quiet = [took(8.0), took(8.1), took(8.3)]
    later = expect(*quiet, machine=beside_two)
    assert later.low < 3 * 16 < later.high and later.low > expect(*quiet).high
    busy = [took(24.0, other=24.0, load=1.33)] * 3
    assert expect(*busy, machine=beside_two).low < 48 < expect(*busy, machine=beside_two).high < 110
    assert expect(*busy).low < 16 < expect(*busy).high < 40
    assert expect(*quiet, *busy) == expect(*quiet), "runs beside as much other work come first"


def recorded() -> Sequence[dict[str, str]]:
    with RECORDED.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_nine_of_ten_recorded_runs_take_a_time_in_their_range() -> None:
    """Each run is forecast from those before it, as a page would have done, once its classifier has run."""
    known: dict[str, list[Rate]] = defaultdict(list)
    held, widths = [], []
    for row in recorded():
        rates, planned = known[row["classifier"]], float(row["planned"])
        if rates:
            work = Work(row["method"], planned, float(row["images"]), row["dataset"])
            found = expect(*rates, machine=Machine("cpu", 2, float(row["load_before"])), work=work, cost=None)
            held.append(found.low <= float(row["total"]) <= found.high)
            widths.append(found.high / found.low)
        unlearning, whole = float(row["forget"]), float(row["total"])
        rates.insert(
            0, Rate(row["method"], row["dataset"], unlearning / planned, whole - unlearning, float(row["load"]))
        )
    assert len(held) >= 20
    assert sum(held) >= 0.9 * len(held), f"{sum(held)} of {len(held)}"
    assert median(widths) < 5, "a range that holds everything says nothing"


def test_the_machine_is_that_of_the_worker(home: Path) -> None:
    store = RunStore(home)
    assert this_machine(store).device == "cpu" and this_machine(store).load is None
    cpu_load.publish(home, 1.5)
    assert this_machine(store).load == 1.5
    store.execution.worker_heartbeat("w", device="cuda:0", pid=1, code="x", state="idle")
    assert this_machine(store) == Machine("cuda:0", 1, None), "other programs on the CPU do not slow a GPU down"


def test_before_its_first_job_nothing_is_known_of_a_gpu(home: Path) -> None:
    from unlearn_core.data import datasets
    from unlearn_core.engine.build_spec import run_spec
    from unlearn_core.models import classifiers

    store, card = RunStore(home), classifiers.card("tiny")
    data, spec = datasets.card(card.dataset), run_spec("tiny", method="finetune", classes=["rows"])
    store.execution.worker_heartbeat("w", device="cuda:0", pid=1, code="x", state="idle")
    assert of_run(card, data, spec_work(spec, card, data, datasets.load(data.id).labels), store) is None
    assert of_training(card.architecture, data, card.required_recipe, store) is None
    found = of_training(card.architecture, data, card.required_recipe, store, device="cpu")
    assert found is not None and not found.measured
