"""Memory that torch frees stays with the process, and where the C library offers nothing of the kind it says so."""

import ctypes
import sys

import pytest

from unlearn_core.training import memory


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library")
def test_it_is_set_where_the_library_has_it():
    assert memory.keep_freed_memory()


def test_elsewhere_it_says_no(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not memory.keep_freed_memory()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not memory.keep_freed_memory()
