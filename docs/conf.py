"""Sphinx configuration; the build needs no network."""

from importlib.metadata import version as _version

project = "aurorax_pandas"
author = "aurorax_pandas developers"
copyright = author
release = version = _version("aurorax-pandas")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"aurorax_pandas {release}"

# names in single backquotes, as numpydoc writes them
default_role = "py:obj"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
