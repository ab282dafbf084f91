"""A profile is taken without garbage being collected meanwhile: on older interpreters that could stop every thread."""

import gc
import sys
import threading

import pytest
from sentry_sdk.profiler import continuous_profiler

from nightbench.observability import profiling


@pytest.fixture
def profiler(monkeypatch):
    monkeypatch.setattr(continuous_profiler, "sys", sys)
    return continuous_profiler


def test_frames_are_taken_while_no_garbage_is_collected(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "_current_frames", lambda: seen.append(gc.isenabled()) or {})
    assert profiling.current_frames() == {}
    assert seen == [False]
    assert gc.isenabled()


def test_who_collects_none_keeps_it_so():
    gc.disable()
    try:
        profiling.current_frames()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_sdk_s_profiler_asks_so_where_the_interpreter_needs_it(profiler, monkeypatch):
    monkeypatch.setattr(profiling, "HANGS", True)
    profiling.make_safe()
    assert profiler.sys._current_frames is profiling.current_frames
    assert threading.get_ident() in profiler.sys._current_frames()
    assert profiler.sys.version_info is sys.version_info


def test_a_newer_interpreter_is_left_alone(profiler, monkeypatch):
    monkeypatch.setattr(profiling, "HANGS", False)
    profiling.make_safe()
    assert profiler.sys is sys
