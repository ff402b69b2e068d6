"""Addresses of other tools that show a search."""

from __future__ import annotations

from urllib.parse import quote

import pandas as pd

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.provenance import get_provenance


def swarmaurora_url(df: pd.DataFrame) -> str:
    """
    Give the address that shows the frame's search on Swarm-Aurora's conjunction finder.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions of one search.

    Raises
    ------
    AuroraxInputError
        If the frame does not know its search, or comes from several.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.load_sample_conjunctions().aurorax.swarmaurora_url()
    'https://swarm-aurora.com/conjunctionFinder?aurorax_request_id=8d69dfe3-b865-4507-a0b2-d44c342b5857'
    """
    request_ids = get_provenance(df.attrs).get("request_ids") or []
    if len(request_ids) != 1:
        known = f"several searches ({', '.join(map(str, request_ids))})" if request_ids else "no search that it knows"
        raise AuroraxInputError(
            f"the frame comes from {known}; Swarm-Aurora shows exactly one, read with one request_id"
        )
    return f"https://swarm-aurora.com/conjunctionFinder?aurorax_request_id={quote(str(request_ids[0]), safe='')}"
