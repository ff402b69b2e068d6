"""Bokeh, imported when a page is made; its stubs do not know what its models take, so that nothing here is typed by them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def bokeh_models() -> Any:
    """Return the module of Bokeh's models."""
    return import_module("bokeh.models")


def new_figure(**keywords: Any) -> Any:
    """Return a figure of Bokeh."""
    return import_module("bokeh.plotting").figure(**keywords)
