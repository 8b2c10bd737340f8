"""The link of the room: its address, and the same as a QR code for phones."""

from functools import lru_cache
from urllib.parse import urlencode, urlsplit, urlunsplit

import segno
import streamlit as st

from unlearn_core.ui.room.following import BOARD_PARAM

OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]", "::1", "0.0.0.0")  # compared, not listened on
"""Names by which a machine calls itself, so that a link with one of them works nowhere else."""


def room_link(page_url: str, code: str, lesson: str) -> str:
    """The address of a lesson that is counted on this board, from the address of a page of the same lab."""
    parts = urlsplit(page_url)
    folder = parts.path.rstrip("/").rpartition("/")[0]
    return urlunsplit(parts._replace(path=f"{folder}/lessons", query=urlencode({"lesson": lesson, BOARD_PARAM: code})))


def show(code: str, lesson: str) -> None:
    """Show the code, the QR code and the address, large enough for a projector."""
    link = room_link(st.context.url or "", code, lesson)
    st.image(qr_code(link), alt="QR code of the address below", width="stretch")
    st.markdown(f"Board  \n# {code}")
    st.code(link, language=None, wrap_lines=True)
    if urlsplit(link).hostname in OWN_HOSTS:
        st.caption(
            ":material/wifi_off: This address works on this machine only. For a room, start the lab with "
            "`--server.address 0.0.0.0` and open this page by the name of the machine."
        )


@lru_cache(maxsize=64)
def qr_code(text: str) -> str:
    """A QR code as SVG, black on white in both themes, since phones expect that."""
    return segno.make(text, error="m", micro=False).svg_inline(scale=8, border=2, light="#fff")
