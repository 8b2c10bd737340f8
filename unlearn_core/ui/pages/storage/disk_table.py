"""What costs disk, as it was measured last: of whoever looks at the page, and for the operator of everybody."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.housekeeping import disk_use
from unlearn_core.store.housekeeping.disk_use import DiskUse
from unlearn_core.store.housekeeping.footprint import Amount, megabytes
from unlearn_core.ui.server import visitor
from unlearn_core.ui.shell import formatting, ownership

_COLUMNS = {
    "kind": st.column_config.TextColumn("What"),
    "owner": st.column_config.TextColumn("Whose"),
    "number": st.column_config.NumberColumn("Number", format="localized"),
    "MB": st.column_config.NumberColumn("MB", format="%.1f"),
}


def show() -> None:
    """Show the tables, or that nothing was measured yet."""
    st.header("What costs disk", anchor=False)
    found = disk_use.last_measured(open_data_dir())
    if found is None:
        st.markdown("This is measured by a worker, each hour while nothing runs. It has not been measured yet.")
        return
    me = visitor.actor()
    own = found.owners.get(me.id, ())
    age = formatting.format_age(datetime.fromtimestamp(found.measured, UTC))
    st.markdown(f"**{megabytes(found.owner_bytes(me.id))}** are yours alone, as measured {age}.")
    if own:
        _table(own, alt="What is yours alone, by kind")
    if me.is_operator:
        _show_all(found)


def _show_all(found: DiskUse) -> None:
    st.markdown(f"The whole data folder takes **{megabytes(found.bytes)}**:")
    _table(found.kinds, alt="The data folder by kind")
    called = ownership.owner_labels(found.owners)
    rows = [{"owner": called[owner], "MB": found.owner_bytes(owner) / 1e6} for owner in found.owners]
    shared = found.bytes - sum(map(found.owner_bytes, found.owners))
    rows.append({"owner": "used by several, or of nobody in particular", "MB": shared / 1e6})
    st.markdown("By owner, what each would free by deleting everything:")
    table = pd.DataFrame(rows).sort_values("MB", ascending=False)
    st.dataframe(table, hide_index=True, column_config=_COLUMNS, alt="The data folder by owner", width="content")


def _table(amounts: Sequence[Amount], *, alt: str) -> None:
    rows = [{"kind": one.title, "number": one.number, "MB": one.bytes / 1e6} for one in amounts]
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=_COLUMNS, alt=alt, width="content")
