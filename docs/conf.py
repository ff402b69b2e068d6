"""Sphinx configuration; the build needs no network."""

import sys
from importlib.metadata import version as _version
from pathlib import Path

project = "aurorax_pandas"
author = "aurorax_pandas developers"
copyright = author
release = version = _version("aurorax-pandas")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "matplotlib.sphinxext.plot_directive"]
exclude_patterns = ["_build", "paper"]
html_theme = "furo"
html_title = f"aurorax_pandas {release}"

# names in single backquotes, as numpydoc writes them
default_role = "py:obj"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

# the gallery is drawn when the documentation is built
sys.path.insert(0, str(Path(__file__).parent / "tools"))
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 100)]
plot_rcparams = {"savefig.bbox": "standard"}


def _write_live_pages(app, exception):
    """Write the pages that the gallery links."""
    if exception is not None or app.builder.format != "html":
        return
    import made_up

    import aurorax_pandas

    ephemeris = aurorax_pandas.load_sample_ephemeris()
    near = aurorax_pandas.load_sample_conjunctions().aurorax.closest_approach(ephemeris)
    page = near.aurorax.explore(ephemeris, title="THEMIS-ASI and Swarm, 2020-01-01")
    page.save(Path(app.outdir) / "explore.html", overwrite=True)
    page = made_up.events(20_000, 4_000).aurorax.explore(title="20 000 made-up events of eleven years")
    page.save(Path(app.outdir) / "explore_20000.html", overwrite=True)


def setup(app):
    """Write the live pages when all others are there."""
    app.connect("build-finished", _write_live_pages)
