"""Progress bars: text, or a notebook's own where it can show them."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(**options: Any) -> tqdm[Any]:
    """
    Return a progress bar.

    Without ipywidgets a notebook has one of text, which goes when it is done, since a cell keeps every line; tqdm itself would
    warn there.

    Parameters
    ----------
    **options
        What `tqdm.tqdm` takes.
    """
    in_notebook = "ipykernel" in sys.modules
    if in_notebook and importlib.util.find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm as notebook_bar

        return notebook_bar(**options)
    from tqdm.std import tqdm as text_bar

    if in_notebook:
        options = {"leave": False, **options}
    return text_bar(**options)
