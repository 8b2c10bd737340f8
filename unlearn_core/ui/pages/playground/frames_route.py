"""Where the browser gets the frames of a run: it asks, the run is queued, and the answer waits until it is made.

The page registers what a visitor wants under a name that nobody can guess. A request that the browser gives up, since
the visitor has chosen something else or has left, takes its run out of the queue unless others wait for it too.
"""

import asyncio
import hmac
import json
import secrets
import threading
import time
from collections import Counter, OrderedDict
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unlearn_core.charts.text.boundary_words import Subject, boundary_words
from unlearn_core.domain.errors import UnlearnError, WorkerError
from unlearn_core.domain.results.boundary_frames import BoundaryFrames
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import playground_results
from unlearn_core.ui.server.urls import base_path
from unlearn_core.ui.shell import cache, lifespan

MAX_WANTED = 2_000
"""The most runs that a server knows by name; those that no page registered for longest are forgotten first."""
PATIENCE = 15.0
"""Seconds until an answer says how many runs are ahead; the browser then asks again."""
FILE_POLL, STATE_POLL = 0.04, 0.4
"""Seconds between two looks for the frames, and between two looks at the state of the run."""


class Wanted(NamedTuple):
    """What a visitor sees: the original, and the run with its retrained model if something is to be forgotten.

    The runs of one `visitor` count together when the queue shares out its time.
    """

    original: PointsSpec
    unlearned: PointsSpec | None
    subject: Subject
    visitor: str


_SECRET = secrets.token_bytes(32)
_wanted: OrderedDict[str, Wanted] = OrderedDict()
_waiting: Counter[int] = Counter()
_lock = threading.Lock()


def register(wanted: Wanted) -> str:
    """Make a visitor's runs available, and return their URL, to which the part is added: "/original"."""
    spec = wanted.unlearned or wanted.original
    content = f"{spec.fingerprint()} {wanted.visitor} {wanted.subject}"
    name = hmac.new(_SECRET, content.encode(), "sha256").hexdigest()[:32]
    with _lock:
        _wanted[name] = wanted
        _wanted.move_to_end(name)
        while len(_wanted) > MAX_WANTED:
            _wanted.popitem(last=False)
    return f"{base_path()}/playground-frames/{name}"


def routes() -> list[Route]:
    """The routes of the frames, below the path of the app."""
    return [Route(f"{base_path()}/playground-frames/{{name}}/{{part}}", _answer, methods=["GET"])]


async def _answer(request: Request) -> Response:
    with _lock:
        wanted = _wanted.get(request.path_params["name"])
    spec = None if wanted is None else _spec(wanted, request.path_params["part"])
    if wanted is None or spec is None:
        return JSONResponse({"error": "No page shows this run any more. Reload the page."}, 404)
    try:
        found = await _frames(spec, wanted.visitor, request)
        unlearned = found
        if spec.part == "retrain" and wanted.unlearned is not None:  # Its words compare the two.
            unlearned = await _frames(wanted.unlearned, wanted.visitor, request)
        if isinstance(found, str) or isinstance(unlearned, str):
            return JSONResponse({"waiting": found if isinstance(found, str) else unlearned}, 202)
        words = await run_in_threadpool(_words, wanted, spec, found, unlearned)
    except UnlearnError as problem:
        return JSONResponse({"error": str(problem)}, 200)
    return Response(b'{"frames": %s, "words": %s}' % (found, words), media_type="application/json")


def _spec(wanted: Wanted, part: str) -> PointsSpec | None:
    if part == "original":
        return wanted.original
    if wanted.unlearned is None:
        return None
    return {"unlearned": wanted.unlearned, "retrained": wanted.unlearned.retrained}.get(part)


async def _frames(spec: PointsSpec, visitor: str, request: Request) -> bytes | str:
    """The frames of a spec, as soon as they are made; or what they wait for, as a sentence."""
    data_dir, until = open_data_dir(), time.monotonic() + PATIENCE
    found = playground_results.find(data_dir, spec)
    if found is not None:
        return found
    run = await run_in_threadpool(_submit, spec, visitor)
    _waiting[run] += 1
    next_look = 0.0
    try:
        while found is None and time.monotonic() < until:
            await asyncio.sleep(FILE_POLL)
            found = playground_results.find(data_dir, spec)
            if found is None and time.monotonic() >= next_look:
                next_look = time.monotonic() + STATE_POLL
                if await request.is_disconnected():
                    await run_in_threadpool(_give_up, run)
                    return ""
                if await run_in_threadpool(_is_cancelled, run):
                    return "The run is queued again."
        return found if found is not None else await run_in_threadpool(_what_is_ahead, run)
    finally:
        _waiting[run] -= 1
        if not _waiting[run]:
            del _waiting[run]


def _submit(spec: PointsSpec, visitor: str) -> int:
    """Queue a run, unless it is queued; retrained models come after what visitors watch.

    The server does this itself: several visitors may wait for one run, and the last of them takes it back.
    """
    lifespan.ensure_worker()
    priority = Priority.BACKGROUND if spec.part == "retrain" else Priority.INTERACTIVE
    return (
        cache.server_store().submit_unique(spec, title=f"Playground: {spec.part}", owner=visitor, priority=priority).run
    )


def _give_up(run: int) -> None:
    """Take a run out of the queue that nobody else waits for; one that has begun ends soon, and is kept."""
    if _waiting[run] == 1 and cache.server_store().get(run).state is RunState.QUEUED:
        cache.server_store().cancel(run)


def _is_cancelled(run: int) -> bool:
    """Whether a run was taken out of the queue. Raises WorkerError, with the reason, if it has failed."""
    found = cache.server_store().get(run)
    if found.state is RunState.FAILED:
        raise WorkerError(found.error or "The run failed. Change something, and try again.")
    return found.state is RunState.CANCELLED


def _what_is_ahead(run: int) -> str:
    if not cache.server_store().workers() and not lifespan.is_coming():
        return "No worker is running for this data folder, so nothing is computed. Start one, and see what it prints."
    ahead = len(cache.server_store().runs_ahead(run).runs)
    return f"Runs ahead of yours: {ahead}." if ahead else "The worker is busy or starting."


def _words(wanted: Wanted, spec: PointsSpec, found: bytes, unlearned: bytes) -> bytes:
    """What is said beside these frames, as JSON; the retrained model is compared with the unlearned one."""
    if spec.part == "train":
        return b"null"
    after = BoundaryFrames.model_validate_json(unlearned)
    retrained = BoundaryFrames.model_validate_json(found) if spec.part == "retrain" else None
    return json.dumps(boundary_words(wanted.subject, after, retrained)._asdict()).encode()
