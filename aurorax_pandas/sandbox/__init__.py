"""
A server on this machine that speaks the AuroraX search API, for demonstrations, teaching and tests.

It answers searches from an ephemeris by the local engine (`~aurorax_pandas.find_conjunctions`), the one search that is bundled as a
recording from that recording in any window, and refuses what its ephemeris does not cover. Run it with
``python -m aurorax_pandas.sandbox --port 8000``, or in a ``with`` block by `serve`.
"""

from aurorax_pandas.sandbox.server import LoggedRequest, Sandbox, serve

__all__ = ["LoggedRequest", "Sandbox", "serve"]
