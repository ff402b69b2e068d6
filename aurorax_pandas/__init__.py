"""
AuroraX conjunction searches as typed pandas DataFrames.

Importing the package registers ``pandas.read_aurorax_conjunctions`` and the accessor ``DataFrame.aurorax``; every
method of the accessor is a function here as well. The public names stand in ``__init__.pyi``, each with its module.
"""

from typing import Any as _Any

import lazy_loader as _lazy_loader

from aurorax_pandas.registration import register

_attribute, __dir__, __all__ = _lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> _Any:
    if name in __all__:
        return _attribute(name)
    if name == "__version__":
        from importlib.metadata import version

        return version("aurorax-pandas")
    from aurorax_pandas.checks import names_with_words, nearest_name

    meant = names_with_words(name, __all__) or [nearest_name(name, __all__)]
    said = f"; did you mean {' or '.join(map(repr, meant))}?" if meant[0] else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{said}")


register()
