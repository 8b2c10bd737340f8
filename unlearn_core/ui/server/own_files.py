"""Files that Streamlit gives to everybody who knows their name: uploads, and media files where sharing is private."""

import threading
from collections import OrderedDict
from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import Runtime
from streamlit.runtime.media_file_manager import MediaFileManager

from unlearn_core.settings import settings
from unlearn_core.ui.server import visitor
from unlearn_core.ui.server.middleware import UPLOAD_PATH
from unlearn_core.ui.server.urls import base_path

MAX_FILES = 20_000
"""The most media files whose readers a server remembers; those that no page showed for longest are forgotten first."""

_readers: OrderedDict[str, set[str]] = OrderedDict()
_lock = threading.Lock()


class OwnFilesMiddleware:
    """Middleware: an upload belongs to a visit of the same visitor, and a media file to those whose page showed it.

    Streamlit itself only asks for their names: the number of the visit, and a hash of the content. Where sharing is
    open, media files are open too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" and scope["method"] != "OPTIONS" else ""
        is_allowed = True
        if UPLOAD_PATH in path:
            owners = _owner_of_visit(path.partition(UPLOAD_PATH)[2].partition("/")[0])
            reader = visitor.reader_of(HTTPConnection(scope).cookies)
            is_allowed = owners is None or (reader is not None and reader.id in owners)
        elif path.startswith(f"{base_path()}/media/"):
            is_allowed = may_read(_name(path), HTTPConnection(scope).cookies)
        if not is_allowed:
            await PlainTextResponse("This file belongs to another visitor.", 404)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def record_readers(manager: MediaFileManager) -> None:
    """Let this server remember whose pages show its media files; Streamlit has no setting for it."""
    add, execute = manager.add, manager.execute_deferred

    def add_for_visitor(*args: object, **options: object) -> str:
        url = add(*args, **options)  # pyright: ignore[reportArgumentType] (what Streamlit itself passes)
        _record(url, {visitor.actor().id})
        return url

    def execute_for_visitor(file_id: str) -> str:
        """Make a file that is made when somebody asks for it, outside of their script."""
        asked = manager._deferred_callables.get(file_id)
        url = execute(file_id)
        _record(url, set() if asked is None else _owner_of_visit(asked["session_id"]) or set())
        return url

    manager.add, manager.execute_deferred = add_for_visitor, execute_for_visitor


def record_reader(name: str) -> None:
    """Remember that whoever looks at the page may read a file of this name."""
    _record(name, {visitor.actor().id})


def may_read(name: str, cookies: Mapping[str, str]) -> bool:
    """Whether the browser that sent these cookies may read a file of this name."""
    if settings().sharing == "open":
        return True
    reader = visitor.reader_of(cookies)
    return reader is not None and (reader.is_operator or reader.id in _readers.get(name, set()))


def _record(url: str, owners: set[str]) -> None:
    if settings().sharing != "private":
        return
    with _lock:
        _readers[_name(url)] = _readers.get(_name(url), set()) | owners
        _readers.move_to_end(_name(url))
        while len(_readers) > MAX_FILES:
            _readers.popitem(last=False)


def _name(url: str) -> str:
    return url.rpartition("/")[2].partition(".")[0]


def _owner_of_visit(visit: str) -> set[str] | None:
    """The owner of a visit that is there, as a set; None if there is no such visit."""
    client = Runtime.instance().get_client(visit) if Runtime.exists() else None
    context = None if client is None else client.client_context
    if context is None:
        return None
    owner = visitor.actor_of_visit(context.cookies)
    return set() if owner is None else {owner.id}
