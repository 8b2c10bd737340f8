"""Hand-made messages to a live server: the number of another's visit, run or button gives nobody anything."""

import shutil
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.browser.access.forged_client import ForgedClient, person_cookies, visitor_cookies
from tests.browser.access.identity_provider import PEOPLE, ServedSignIn
from tests.browser.app_server import Served
from tests.pages.finished_runs import CLASS
from tests.store.access.test_separation import ANN, BEN
from tests.store.specs import sql
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.store.access import people
from unlearn_core.store.access.identity_key import identity_key
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Cookies = Callable[[str], Mapping[str, str]]
ISSUER = "http://127.0.0.1:9"
NOT_HERS, SIGN_IN = "There is no such run", "This lab is for people on its list"
AGAIN = "Your sign-in has ended"


def _spec() -> UnlearnSpec:
    return run_spec("tiny", method="unsir", classes=["rows"], preset="bundled")


def _claims(subject: str) -> dict[str, Any]:
    return {"iss": ISSUER, "sub": subject, **PEOPLE[subject]}


@pytest.fixture(scope="module")
def visitors(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Cookies, str]]:
    """A private server of visitors, who they are by their cookies, and the owner that Ann is."""
    home = tmp_path_factory.mktemp("visitors") / "home"
    shutil.copytree(template, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNLEARN_SHARING", "private")
        served = Served(home, worker="none")
    with served:
        owners = {"ann-1": ANN.id, "ben-2": BEN.id}
        yield served, lambda who: visitor_cookies(identity_key(home), owners[who]), ANN.id


@pytest.fixture(scope="module")
def signed_in(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Cookies, str]]:
    """The same of people who signed in."""
    home = tmp_path_factory.mktemp("signed-in") / "home"
    shutil.copytree(template, home)
    served = ServedSignIn(home, ISSUER, worker="none")
    with served:
        owner = people.owner_of_claims(_claims("ann-1"))
        assert owner is not None

        def cookies(who: str) -> Mapping[str, str]:
            return person_cookies(served, identity_key(home), _claims(who), browser=who[0].replace("n", "b") * 20)

        yield served, cookies, owner


@pytest.fixture(params=["visitors", "signed_in"])
def lab(request: pytest.FixtureRequest) -> Iterator[tuple[Served, Cookies, int]]:
    """A server, who comes by which cookies, and a run of Ann's that waits."""
    served, cookies, owner = request.getfixturevalue(request.param)
    sql(served.home, "UPDATE run SET owner = ? WHERE id = ?", owner, CLASS)
    store = RunStore(served.home)
    waiting = store.submit(_spec(), title="waiting", owner=owner)
    yield served, cookies, waiting
    if not store.get(waiting).state.is_finished:
        store.cancel(waiting)
    store.delete(waiting)


def test_the_number_of_a_visit_is_not_enough_to_go_on_with_it(lab: tuple[Served, Cookies, int]) -> None:
    served, cookies, _ = lab
    with ForgedClient(served, cookies("ann-1")) as ann:
        assert f"Run {CLASS}" in ann.ask(f"run?id={CLASS}")
        for who in (cookies("ben-2"), {}):
            with ForgedClient(served, who, visit=ann.visit) as other:
                said = other.ask(f"run?id={CLASS}")
                assert other.visit not in ("", ann.visit) and (NOT_HERS in said or SIGN_IN in said)
        assert f"Run {CLASS}" in ann.ask(f"run?id={CLASS}"), "she has noticed nothing"
    with ForgedClient(served, cookies("ben-2"), visit=ann.visit) as ben:
        assert NOT_HERS in ben.ask(f"run?id={CLASS}") and ben.visit != ann.visit, "nor once she has gone"
    with ForgedClient(served, cookies("ann-1"), visit=ann.visit) as again:
        assert f"Run {CLASS}" in again.ask(f"run?id={CLASS}") and again.visit == ann.visit, "she herself goes on"


def test_the_ids_of_buttons_and_runs_are_not_enough_to_use_them(lab: tuple[Served, Cookies, int]) -> None:
    served, cookies, waiting = lab
    store, place, own = RunStore(served.home), f"run?id={waiting}", f"Run {waiting} ·"
    with ForgedClient(served, cookies("ann-1")) as ann, ForgedClient(served, cookies("ben-2")) as ben:
        assert own in ann.ask(place)
        button = ann.buttons[f"cancel-{waiting}"]
        ben.ask("history")
        for page in (place, "history", "run", f"compare?ids={waiting},{CLASS}"):
            assert own not in ben.ask(page, press=button)
            for fragment in ann.fragments:
                assert own not in ben.ask(page, press=button, fragment=fragment)
        assert store.get(waiting).state is RunState.QUEUED
        ann.ask(place, press=button)
        assert store.get(waiting).state is RunState.CANCELLED, "her own press is the same message"


def test_nobody_signs_in_by_forging(signed_in: tuple[Served, Cookies, str]) -> None:
    served, cookies, owner = signed_in
    sql(served.home, "UPDATE run SET owner = ? WHERE id = ?", owner, CLASS)
    key, real = identity_key(served.home), cookies("ann-1")
    forged = [
        person_cookies(served, key, _claims("ann-1"), browser="c" * 20, secret="x" * 40),
        {**real, "_streamlit_user": cookies("ben-2")["_streamlit_user"]},
        {name: value for name, value in real.items() if "seal" not in name},
        visitor_cookies(key, "local"),
        visitor_cookies(key.for_sign_in(), "local"),
        {"_streamlit_user": "x" * 3_000},
    ]
    for sent in forged:
        with ForgedClient(served, sent) as client:
            assert SIGN_IN in client.ask(f"run?id={CLASS}")
    with ForgedClient(served, real, origin=False) as client:
        assert SIGN_IN in client.ask(f"run?id={CLASS}"), "Streamlit takes no sign-in from another site"
    with ForgedClient(served, real) as client:
        assert f"Run {CLASS}" in client.ask(f"run?id={CLASS}")


def test_an_open_visit_does_nothing_after_its_person_signed_out(signed_in: tuple[Served, Cookies, str]) -> None:
    served, cookies, owner = signed_in
    store = RunStore(served.home)
    waiting = store.submit(_spec(), title="waiting", owner=owner)
    place, own, sent = f"run?id={waiting}", f"Run {waiting} ·", cookies("ann-1")
    with ForgedClient(served, sent) as ann:
        assert own in ann.ask(place)
        header = "; ".join(f"{name}={value}" for name, value in sent.items())
        asked = urllib.request.Request(served.address("auth/logout"), headers={"Cookie": header})
        with suppress(OSError):  # The provider, to which it leads, is not there.
            urllib.request.urlopen(asked, timeout=30).close()
        for fragment in ("", *ann.fragments):
            said = ann.ask(place, press=ann.buttons[f"cancel-{waiting}"], fragment=fragment)
            assert AGAIN in said and own not in said
        assert store.get(waiting).state is RunState.QUEUED
    with ForgedClient(served, sent, visit=ann.visit) as again:
        assert SIGN_IN in again.ask(place) and again.visit != ann.visit
    store.cancel(waiting)
