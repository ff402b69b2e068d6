"""Sphinx configuration; neither the build nor the pages need a network."""

import inspect
import os
import sys
from importlib.metadata import version as _version
from pathlib import Path

from docutils import nodes
from docutils.utils.math import latex2mathml

import aurorax_pandas

HERE = Path(__file__).parent

project = "aurorax_pandas"
author = "aurorax_pandas developers"
copyright = author
release = version = _version("aurorax-pandas")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "myst_nb",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "paper", "tools", "tables", "jupyter_execute", "**.ipynb_checkpoints"]
html_theme = "furo"
html_title = f"aurorax_pandas {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_math_renderer = "mathml"
pygments_dark_style = "github-dark"

# names in single backquotes, as numpydoc writes them
default_role = "py:obj"
autosummary_generate = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

# every reference leads somewhere, but to other packages, whose pages are not at hand, and to arguments
nitpicky = True
_public = [getattr(aurorax_pandas, name) for name in aurorax_pandas.__all__] + [aurorax_pandas.sandbox.serve]
_methods = [method for one in _public if inspect.isclass(one) for method in vars(one).values()]
nitpick_ignore = {
    ("py:obj", argument)
    for function in [*_public, *_methods]
    if inspect.isfunction(function)
    for argument in inspect.signature(function).parameters
}
nitpick_ignore_regex = [("py:.*", r"(pandas|matplotlib|datetime|xarray|bokeh|numpy|typing)\..*")]

# prompts and output are not copied
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# the gallery is drawn when the documentation is built
sys.path.insert(0, str(HERE / "tools"))
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 100)]
plot_rcparams = {"savefig.bbox": "standard"}

# a notebook is run when it has changed
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / ".jupyter_cache")
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True
for _name in ("MPLBACKEND", "AURORAX_API_URL", "AURORAX_API_KEY"):
    # a caller's own choices would keep pictures out of the notebooks, or their searches out of the sandbox
    os.environ.pop(_name, None)


def _fetch_notebooks(_app):
    """Put the notebooks, which live beside the documentation, where Sphinx finds them."""
    for source in sorted((HERE.parent / "examples").glob("*.ipynb")):
        target = HERE / "examples" / source.name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.write_bytes(source.read_bytes())


def _write_live_pages(app, exception):
    """Write the pages that the gallery links."""
    if exception is not None or app.builder.format != "html":
        return
    import made_up

    folder = Path(app.outdir) / "live"
    folder.mkdir(exist_ok=True)
    ephemeris = aurorax_pandas.load_sample_ephemeris()
    near = aurorax_pandas.load_sample_conjunctions().aurorax.closest_approach(ephemeris)
    page = near.aurorax.explore(ephemeris, title="THEMIS-ASI and Swarm, 2020-01-01")
    page.save(folder / "recorded.html", overwrite=True)
    page = made_up.events(20_000, 4_000).aurorax.explore(title="20 000 made-up events of eleven years")
    page.save(folder / "large.html", overwrite=True)


def _inline_formula(translator, node):
    """Write a formula as MathML, which browsers draw by themselves."""
    translator.body.append(latex2mathml.tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block_formula(translator, node):
    translator.body.append(f'<div class="formula">{latex2mathml.tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    """Learn formulas, fetch the notebooks, and write the live pages when all others are there."""
    app.add_html_math_renderer("mathml", (_inline_formula, None), (_block_formula, None))
    app.connect("builder-inited", _fetch_notebooks)
    app.connect("build-finished", _write_live_pages)
