"""pytest runs the tests where trial would: in a folder of their own, so that `mktemp` leaves nothing in the checkout."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    with tempfile.TemporaryDirectory(prefix="llmux-pytest-") as folder, contextlib.chdir(folder):
        return (yield)
