"""A page that shows itself in notebooks and saves itself as one file."""

from __future__ import annotations

import html
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from aurorax_pandas.checks import shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.interactive.rows import packaged
from aurorax_pandas.io.files import write_checked
from aurorax_pandas.io.places import target_of

_CITATION: Final = """\
Made by aurorax_pandas {version}. AuroraX is a project of the University of Calgary; this page and the library that made it are \
no products of it. If you publish results, acknowledge AuroraX and the data providers as they ask for on their pages, and cite \
the library.
{acknowledgement}
Coast: Natural Earth, 1:50 m, in the public domain."""
#: Height of the frame in a notebook, until the page in it tells its own [pixels].
_FRAME_HEIGHT: Final = 980


class ExplorePage:
    """
    A search as one interactive page; `explore` makes it.

    Jupyter, JupyterLab, VS Code and marimo show it by themselves, each output a page of its own with all that it needs.

    Parameters
    ----------
    figure : bokeh.models.Column
        The layout of Bokeh.
    title : str or None
        Title of the page.
    provenance : dict
        Where the data came from.
    acknowledgement : str
        Whom to acknowledge for them.
    words : str
        What the page holds, in a few words.
    width : int or None
        Width of the page [pixels], None for as much as there is.
    """

    def __init__(
        self,
        figure: Any,
        title: str | None,
        provenance: dict[str, Any],
        acknowledgement: str,
        words: str,
        width: int | None,
    ) -> None:
        self._figure, self._title, self._provenance = figure, title, provenance
        self._acknowledgement, self._words, self._width = acknowledgement, words, width

    @property
    def figure(self) -> Any:
        """The layout of Bokeh, with all its models: what is changed there is shown and saved."""
        return self._figure

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """
        Write the page as one HTML file that needs nothing else: no network, no server.

        Parameters
        ----------
        path : str or path-like
            The file.
        overwrite : bool, default False
            Whether to replace a file that is there already.

        Raises
        ------
        AuroraxInputError
            If the file exists, or cannot be named so.
        OSError
            If the file cannot be written; nothing is left behind.
        """
        target = target_of(path, "html", overwrite=overwrite)
        if target.packed:
            raise AuroraxInputError(
                f"path={shown(target.given)}: browsers open no {target.packed!r}; give a name that ends in '.html'"
            )
        text = self._page()

        def check(temporary: Path) -> None:
            if temporary.read_text(encoding="utf-8") != text:
                raise AssertionError("what was written is not what is there")

        write_checked(target, lambda temporary: _write_page(temporary, text), check, overwrite=overwrite)

    def _page(self) -> str:
        """Return the page as HTML."""
        from bokeh.core.templates import get_env
        from bokeh.embed import file_html
        from bokeh.resources import INLINE

        made_by = version("aurorax-pandas")
        told = {
            "version": made_by,
            "citation": _CITATION.format(version=made_by, acknowledgement=self._acknowledgement).split("\n"),
            "provenance": json.dumps(self._provenance, indent=2, ensure_ascii=False)
            if self._provenance
            else "not known",
        }
        template = get_env().from_string(packaged("page.html"))
        page: str = file_html(
            self._figure,
            INLINE,
            title=self._title or "AuroraX conjunctions",
            template=template,
            template_variables=told,
        )
        return page

    def _repr_html_(self) -> str:
        """Return a frame that holds the whole page, so that neither meets the other's scripts and styles."""
        width = "100%" if self._width is None else f"{self._width + 40}px"
        return (
            f'<iframe srcdoc="{html.escape(self._page())}" title="{html.escape(self._title or self._words)}" '
            f'style="border: 0; width: {width}; height: {_FRAME_HEIGHT}px" allow="clipboard-write"></iframe>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._words}>"


def _write_page(path: Path, text: str) -> None:
    # a system's own line ends would not be what was asked for
    path.write_text(text, encoding="utf-8", newline="\n")
