"""One visitor of a page without a browser, who speaks the page's own websocket protocol.

The library `websockets` comes with Streamlit.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetStates


class Viewer:
    """A page that is open in one visit: it asks for a rerun whenever the page's timers say so, as a browser does."""

    def __init__(self, url: str, cookies: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.cookies = cookies or {}
        """Who the visitor is; without any, a new one."""
        self.opened: float | None = None
        """Seconds from the visit's begin to the whole page; None if it never came."""
        self.late: list[float] = []
        """Seconds from each later request to its whole answer."""
        self.received = 0
        """Bytes since the visit began."""
        self.errors: list[str] = []
        self.intervals: dict[str, float] = {}
        """Seconds between two reruns that the page asks for, by fragment."""
        self.components: dict[str, str] = {}
        """What the page sent to each of its components at last, as JSON by the component's name."""
        self.widgets: dict[str, str] = {}
        """The ids of the buttons and checkboxes seen so far, by the keys that the code gives them."""
        self.images: set[str] = set()
        """The paths of the images seen so far, below the path of the app."""
        self._page = ""
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._asked: list[float] = []
        self._answered: list[float] = []
        self._known: set[str] = set()
        self._finished = asyncio.Event()

    @property
    def interval(self) -> float:
        """Seconds between two updates that the page asks for; 0 if it asks for none."""
        return min(self.intervals.values(), default=0.0)

    async def watch(self, seconds: float) -> None:
        """Open the page and stay for so long; what goes wrong is in `errors`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self:
                await asyncio.Event().wait()

    async def __aenter__(self) -> Self:
        """Open the page, and return once it is complete."""
        parts = urlsplit(self.url)
        began = time.monotonic()
        self._socket = await websockets.connect(
            f"ws://{parts.netloc}/_stcore/stream",
            subprotocols=[websockets.Subprotocol("streamlit")],
            additional_headers={"Cookie": cookie_header(self.cookies)} if self.cookies else None,
            max_size=None,
            compression=None,  # As between a browser and a server on one machine: it would only cost time.
        )
        self._reader = asyncio.create_task(self._read())
        waiting = asyncio.create_task(self._finished.wait())
        try:
            await self._ask()
            await asyncio.wait((waiting, self._reader), return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await self.__aexit__()
            raise
        finally:
            waiting.cancel()
        if self._finished.is_set():
            self.opened = time.monotonic() - began
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._reader, *self._timers.values()):
            task.cancel()
        self._timers.clear()
        await self._socket.close()

    async def go(self, url: str) -> None:
        """Change the query of the page's URL, as a click that changes the page does, and return once it is complete."""
        self.url = url
        await self._act()

    async def open_page(self, url: str) -> None:
        """Open another page in the same visit, as a click in the menu does, and return once it is complete."""
        self._page = ""
        await self.go(url)

    async def press(self, key: str) -> None:
        """Press the button with this key, and return once all that follows is there. Raises KeyError without one."""
        changed = WidgetStates()
        changed.widgets.add(id=self.widgets[key], trigger_value=True)
        await self._act(changed)

    async def tick(self, key: str, *, value: bool) -> None:
        """Set the checkbox with this key, and return once the page is complete. Raises KeyError without one."""
        changed = WidgetStates()
        changed.widgets.add(id=self.widgets[key], bool_value=value)
        await self._act(changed)

    async def _act(self, changed: WidgetStates | None = None) -> None:
        self._finished.clear()
        await self._ask(changed=changed)
        await self._finished.wait()

    async def _ask(self, fragment: str = "", *, changed: WidgetStates | None = None) -> None:
        message, parts = BackMsg(), urlsplit(self.url)
        rerun = message.rerun_script
        if changed is not None:
            rerun.widget_states.CopyFrom(changed)
        rerun.query_string = parts.query
        rerun.page_name, rerun.page_script_hash = ("", self._page) if self._page else (parts.path.strip("/"), "")
        rerun.fragment_id, rerun.is_auto_rerun = fragment, bool(fragment)
        rerun.cached_message_hashes.extend(self._known)
        rerun.context_info.url, rerun.context_info.color_scheme = self.url, "light"
        self._asked.append(time.monotonic())
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                assert isinstance(data, bytes)
                self.received += len(data)
                self._take(ForwardMsg.FromString(data))
        except websockets.ConnectionClosedError as problem:
            self.errors.append(repr(problem)[:200])

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if message.metadata.cacheable and message.hash:
            self._known.add(message.hash)
        if kind == "new_session":
            self._answered, self._asked = self._answered + self._asked, []
            if not message.metadata.run.fragment_ids:
                for fragment in list(self._timers):  # The page that is drawn anew starts those that it still has.
                    self._stop_timer(fragment)
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.url = urlsplit(self.url)._replace(query=message.page_info_changed.query_string).geturl()
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_timer(fragment)
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            if self.opened is not None and self._answered:
                self.late.append(time.monotonic() - self._answered[0])
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._finished.set()
            self._answered = []
        elif kind == "delta":
            self._take_element(message.delta.new_element)

    def _take_element(self, element: Element) -> None:
        kind = element.WhichOneof("type")
        if kind == "bidi_component":
            self.components[element.bidi_component.component_name] = element.bidi_component.json
        elif kind == "exception":
            self.errors.append(element.exception.message[:200])
        elif kind == "imgs":
            self.images |= {image.url for image in element.imgs.imgs if image.url.startswith("/")}
        elif kind in ("button", "checkbox"):
            widget = getattr(element, kind).id
            self.widgets[widget.partition("-")[2].partition("-")[2]] = widget  # "$$ID-hash-key"

    def _start_timer(self, fragment: str, interval: float) -> None:
        self._stop_timer(fragment)
        self.intervals[fragment] = interval
        self._timers[fragment] = asyncio.create_task(self._tick(fragment, interval))

    def _stop_timer(self, fragment: str) -> None:
        self.intervals.pop(fragment, None)
        if (old := self._timers.pop(fragment, None)) is not None:
            old.cancel()

    async def _tick(self, fragment: str, interval: float) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.sleep(interval)
                await self._ask(fragment)


def cookie_header(cookies: Mapping[str, str]) -> str:
    """Return cookies as a browser sends them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
