"""Stands in for plotly's own file, which has no types: guessed from its code they change with the order of files."""

from collections.abc import Iterator
from typing import Any

class BaseFigure:
    data: tuple[Any, ...]
    layout: Any
    frames: tuple[Any, ...]
    def __iter__(self) -> Iterator[str]: ...
    def __getitem__(self, name: str) -> Any: ...
    def __getattr__(self, name: str) -> Any: ...

def __getattr__(name: str) -> Any: ...
