"""Signatures and words written once: a method has those of its function, functions of one kind share some."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

from aurorax_pandas.checks import shown, suggestion
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.options import hidden

#: What to write in place of ``verbose=`` of another client.
HOW_IT_GOES: Final = "progress=True shows how it goes"

#: How to come by an argument that a method needs and was not given.
_WHENCE: Final = {
    "ephemeris": "df.aurorax.ephemeris() reads it from the service, and an ephemeris of your own does as well",
    "availability": "aurorax_pandas.read_aurorax_availability(start, end) reads it from the service",
    "path": "give the name of a file",
    "distance": "give kilometres",
    "other": "give the frame beside which this one is put",
    "others": "give the frames that follow",
    "values": "give a Series with times as its index",
}

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def as_method(function: Callable[..., Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """
    Return a method with the name, docstring and signature of a function, whose first argument the accessor holds.

    Parameters
    ----------
    function : callable
        The public function.
    call : callable
        Is called with what the accessor holds and the arguments of the method.
    """
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[1:]
    needed = [
        each.name
        for each in parameters
        if each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    known = [each.name for each in parameters]
    # a function that takes any keyword, or is wrapped by `meeting`, knows more of them than its signature shows
    takes_others = hasattr(function, "__wrapped__") or bool(
        cast("Any", function).__code__.co_flags & inspect.CO_VARKEYWORDS
    )

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "api_key" in kwargs:
            # a traceback with locals shows this frame too
            kwargs["api_key"] = hidden(kwargs["api_key"])
        unknown = [name for name in kwargs if name not in known]
        if unknown and not takes_others:
            raise AuroraxInputError(f"{function.__name__} takes no {unknown[0]}=; {suggestion(unknown[0], known)}")
        lacking = [name for name in needed[len(args) :] if name not in kwargs]
        if lacking:
            raise AuroraxInputError(f"{function.__name__} needs {lacking[0]}=; {_WHENCE.get(lacking[0], 'give it')}")
        return call(self._obj, *args, **kwargs)

    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__dict__["__signature__"] = signature.replace(parameters=[itself, *parameters])
    return method


#: Keywords of conjunction searches elsewhere, and what to write here; ``{value}`` is what was given.
CALLS_OF_OTHERS: Final = {
    "conjunction_type": "write conjunction_types={value}",
    "max_distances": "write distance={value}",
    "default_distance": "write distance={value}",
    "stop": "write end={value}",
    "adhoc": "write custom_locations={value}",
    "epoch_search_precision": "write subminute_precision=True for 30 seconds, or leave it out",
    "aurorax_obj": "leave it out, no object of PyAuroraX is needed",
}


def meeting(**cures: str) -> Callable[[F], F]:
    """
    Meet arguments that a function does not take, those of another client and misspelt ones, with what to write.

    Parameters
    ----------
    **cures : str
        What to write, by keyword; ``{value}`` in it is what was given.
    """

    def decorate(function: F) -> F:
        parameters = inspect.signature(function).parameters
        kinds = inspect.Parameter
        takes_any = any(each.kind is kinds.VAR_KEYWORD for each in parameters.values())
        by_position = [
            name
            for name, each in parameters.items()
            if each.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        ]
        by_name = [name for name, each in parameters.items() if each.kind is kinds.KEYWORD_ONLY]
        # a class is called by its own name
        called = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]

        @functools.wraps(function)
        def met(*args: Any, **kwargs: Any) -> Any:
            for name in kwargs.keys() - parameters.keys():
                if name in cures:
                    raise AuroraxInputError(
                        f"{called} takes no {name}=; {cures[name].format(value=shown(kwargs[name]))}"
                    )
                if f"{name}s" in parameters:
                    raise AuroraxInputError(f"{called} takes no {name}=; write {name}s={shown(kwargs[name])}")
                if not takes_any:
                    known = [each for each in parameters if each != "self"]
                    raise AuroraxInputError(f"{called} takes no {name}=; {suggestion(name, known)}")
            if any(type(given).__name__ == "PyAuroraX" for given in args):
                raise AuroraxInputError(
                    f"{called} needs no client object; leave it out, and give its address as api_url="
                )
            if len(args) > len(by_position):
                others = ", ".join(f"{name}=..." for name in by_name[: len(args) - len(by_position)])
                taken = ", ".join(name for name in by_position if name != "self") or "nothing"
                raise AuroraxInputError(f"{called} takes {taken} by position; write the others by name: {others}")
            if "api_key" in kwargs:
                # a traceback with locals shows this frame too
                kwargs["api_key"] = hidden(kwargs["api_key"])
            return function(*args, **kwargs)

        return cast("F", met)

    return decorate


def meeting_misspelt(made: type[T]) -> type[T]:
    """Meet arguments that a dataclass does not have, as `meeting` does for a function."""
    setattr(made, "__init__", meeting()(made.__init__))  # noqa: B010  (a method is no attribute to assign to)
    return made


def showing(shown: Callable[..., Any]) -> Callable[[F], F]:
    """
    Show in a function's signature the keywords of another one in place of its own ``**keywords``.

    Type checkers know these keywords by ``Unpack``; people read them in `help` and in a notebook.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        keywords = [
            each
            for each in inspect.signature(shown).parameters.values()
            if each.kind is inspect.Parameter.KEYWORD_ONLY and each.name not in signature.parameters
        ]
        positional = [each for each in own if each.kind is not inspect.Parameter.KEYWORD_ONLY]
        function.__dict__["__signature__"] = signature.replace(
            parameters=[*positional, *keywords, *own[len(positional) :]]
        )
        return function

    return decorate


#: Sections of a docstring in numpydoc's order, as far as one may be added.
_SECTIONS: Final = (
    "Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns", "See Also", "Notes", "References", "Examples",
)  # fmt: skip


def describing(words: Sequence[str] = (), *, raises: Sequence[str] = (), warns: Sequence[str] = ()) -> Callable[[F], F]:
    """
    Describe what functions of one kind have in common, where a docstring does not.

    Parameters
    ----------
    words : sequence of str
        Entries of the section of parameters, with no margin; those of parameters that a function has not are left out.
    raises, warns : sequence of str
        Entries of these sections, which stand behind the function's own.
    """

    def decorate(function: F) -> F:
        # python -OO leaves no docstrings
        if function.__doc__:
            head, *rest = re.split(r"\n\n(\w[\w ]*)\n-+\n", inspect.cleandoc(function.__doc__))
            sections = dict(zip(rest[::2], rest[1::2], strict=True))
            order = list(inspect.signature(function).parameters)
            entries = _described_entries(sections.get("Parameters"))
            described = {name for entry in entries for name in _described_names(entry)}
            entries += [
                entry
                for entry in words
                if described.isdisjoint(_described_names(entry)) and _described_names(entry)[0] in order
            ]
            entries.sort(key=lambda entry: order.index(_described_names(entry)[0]))
            added = {
                "Parameters": entries,
                "Raises": [*_described_entries(sections.get("Raises")), *raises],
                "Warns": [*_described_entries(sections.get("Warns")), *warns],
            }
            sections |= {title: "\n".join(lines) for title, lines in added.items() if lines}
            titles = sorted(sections, key=_SECTIONS.index)
            function.__doc__ = "\n\n".join([head, *(f"{each}\n{'-' * len(each)}\n{sections[each]}" for each in titles)])
        return function

    return decorate


def _described_entries(section: str | None) -> list[str]:
    """Return the entries of a section of a docstring; none where it is not there."""
    return re.split(r"\n(?=\S)", section) if section else []


def _described_names(entry: str) -> list[str]:
    """Return the parameters of an entry of a docstring."""
    return entry.split("\n", 1)[0].split(" : ")[0].replace("*", "").split(", ")


#: Says in a docstring what the parameters are by which a service is reached, asked and waited for.
service_parameters: Final = describing(
    [
        """metadata_filters : MetadataFilter or dict, optional
    Conditions on the metadata of the records.""",
        """request_id : str, optional
    A search that was run before, by anyone, in place of all the above; its address works too.""",
        """api_url, api_key : str, optional
    Service and key; by default those of `set_options`, then ``AURORAX_API_URL`` and ``AURORAX_API_KEY``, then
    ``https://api.aurorax.space`` without a key.""",
        """poll_interval : float, default 1.0
    Seconds between questions for the status; the first come sooner, later ones up to 15 s apart.""",
        """timeout : float, str or pandas.Timedelta, default 3600
    Seconds, or a span of time, for all of it: submitting, waiting, downloading. None for no limit.""",
        """progress : bool, default False
    Whether to show a bar with the time and the service's latest log line.""",
        """check_names : bool, default True
    Whether names are looked up among the service's data sources (read once a session) before anything is submitted.""",
        """cancel_on_interrupt : bool, default False
    Whether Ctrl-C cancels the search on the service; by default it goes on, and the log says how to read it later.""",
        """clock, sleep : callable, optional
    Sources of time, for tests.""",
    ]
)
