"""Sphinx configuration; the build needs no network."""

import sys
from importlib.metadata import version as _version
from pathlib import Path

project = "aurorax_pandas"
author = "aurorax_pandas developers"
copyright = author
release = version = _version("aurorax-pandas")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "matplotlib.sphinxext.plot_directive"]
exclude_patterns = ["_build"]
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
