"""Tables as CSV that a spreadsheet program can open safely."""

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

DATE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
"""Times in ISO 8601, which are UTC."""


def to_csv(table: pd.DataFrame) -> str:
    """A table as CSV in which spreadsheet programs cannot take any text for a formula."""
    safe = table.copy()
    for name, dtype in table.dtypes.items():
        if not is_numeric_dtype(dtype) and not is_datetime64_any_dtype(dtype):
            safe[name] = table[name].map(_escape_formula, na_action="ignore")
    return safe.to_csv(index=False, date_format=DATE_FORMAT)


def _escape_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
