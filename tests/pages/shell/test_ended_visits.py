"""Visits that have ended hold no open files, and still come back as they were."""

import asyncio
import gc
from pathlib import Path

from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.session_manager import SessionInfo

from unlearn_core.ui.shell import lifespan

VISITS = 50


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def visit() -> AppSession:
    return AppSession(
        script_data=ScriptData(__file__, is_hello=False),
        uploaded_file_manager=MemoryUploadedFileManager("/uploads"),
        script_cache=ScriptCache(),
        message_enqueued_callback=None,
        user_info={},
    )


def ended(storage: lifespan.EndedVisits, session: AppSession) -> None:
    storage.save(SessionInfo(client=None, session=session, script_run_count=1))


def test_fifty_ended_visits_hold_no_files() -> None:
    async def visits() -> None:
        gc.collect()  # What other tests left open would close meanwhile.
        storage, before = lifespan.EndedVisits(), open_files()
        sessions = [visit() for _ in range(VISITS)]
        assert open_files() >= before + 3 * VISITS, "a visit that goes on has its files"
        for session in sessions:
            ended(storage, session)
        assert len(storage.list()) == VISITS
        assert open_files() == before

    asyncio.run(visits())


def test_a_visit_that_comes_back_can_run_its_script() -> None:
    async def back() -> None:
        storage, session = lifespan.EndedVisits(), visit()
        session.session_state["kept"] = 7
        ended(storage, session)
        found = storage.get(session.id)
        assert found is not None and found.session.session_state["kept"] == 7
        assert not found.session._script_event_loop.is_closed()
        assert storage.get("another") is None
        storage.delete(session.id)
        session.shutdown()

    asyncio.run(back())


def test_a_script_that_still_runs_keeps_its_loop_until_it_stops(monkeypatch) -> None:
    monkeypatch.setattr(lifespan, "CLOSE_SECONDS", 0.01)

    async def stopped() -> None:
        storage, session = lifespan.EndedVisits(), visit()
        session._scriptrunner = object()  # type: ignore[assignment]
        ended(storage, session)
        await asyncio.sleep(0.05)
        assert not session._script_event_loop.is_closed()
        session._scriptrunner = None
        await asyncio.sleep(0.05)
        assert session._script_event_loop.is_closed()

    asyncio.run(stopped())


def test_a_visit_that_came_back_meanwhile_keeps_its_loop(monkeypatch) -> None:
    monkeypatch.setattr(lifespan, "CLOSE_SECONDS", 0.01)

    async def meanwhile() -> None:
        storage, session = lifespan.EndedVisits(), visit()
        session._scriptrunner = object()  # type: ignore[assignment]
        ended(storage, session)
        storage.delete(session.id)
        session._scriptrunner = None
        await asyncio.sleep(0.05)
        assert not session._script_event_loop.is_closed()
        session.shutdown()

    asyncio.run(meanwhile())
