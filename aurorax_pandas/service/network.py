"""The network between here and a service: proxies, certificates, and what a fault of them means."""

from __future__ import annotations

import os
import re
import ssl
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3

from aurorax_pandas.options import is_this_machine

_CERTIFICATE_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def proxies_for(address: str) -> dict[str, str]:
    """Return the proxies of the environment for an address, none for one on this machine."""
    return {} if is_this_machine(address) else dict(requests.utils.get_environ_proxies(address, no_proxy=None))


def certificates() -> str | bool:
    """Return the certificates to trust: those that the environment names, else those of requests."""
    return os.environ.get(_certificate_variable(), True)


def _certificate_variable() -> str:
    """Return the variable of the environment that names certificates, empty where none does."""
    return next((name for name in _CERTIFICATE_VARIABLES if os.environ.get(name)), "")


def _missing_certificates() -> str:
    """Say that the certificates which the environment names are not there; empty where they are."""
    name = _certificate_variable()
    path = os.environ.get(name)
    if path and not os.path.exists(path):  # noqa: PTH110  (a text of the environment, whatever it holds)
        return f"{name}={path!r} names certificates that are not there; correct or unset it"
    return ""


def fault_of(error: BaseException, address: str) -> tuple[str, bool]:
    """
    Say what a fault of the network means and what to do, and whether trying again may help.

    Parameters
    ----------
    error : exception
        As requests and urllib3 raise it; its own text is not repeated, since it can hold headers of ours.
    address : str
        What was asked for.
    """
    missing = _missing_certificates()
    if missing and isinstance(error, OSError) and urlsplit(address).scheme == "https":
        return missing, False
    causes = list(_causes(error))
    kinds = tuple(map(type, causes))
    proxy = _proxy_of(address)
    if any(issubclass(kind, requests.exceptions.InvalidSchema) for kind in kinds) and "SOCKS" in str(error):
        return f"the proxy {proxy} is SOCKS, which needs the package PySocks: pip install pysocks", False
    malformed = any(issubclass(kind, requests.exceptions.InvalidProxyURL) for kind in kinds)
    of_proxy = requests.exceptions.ProxyError | urllib3.exceptions.ProxyError
    # PySocks, which may not be there, has errors of its own
    if malformed or any(issubclass(kind, of_proxy) or kind.__module__ == "socks" for kind in kinds):
        return f"the proxy {proxy} does not let it through; correct it, or add the host to NO_PROXY", not malformed
    if any(issubclass(kind, urllib3.exceptions.NameResolutionError) for kind in kinds):
        return (
            f"the name {urlsplit(address).hostname!r} cannot be resolved; check api_url and the network. Without a "
            "network aurorax_pandas.sandbox.serve() answers on this machine"
        ), False
    certificate = next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        return (
            f"its certificate is not trusted ({certificate.verify_message}); check api_url, or name the "
            "certificates to trust in REQUESTS_CA_BUNDLE"
        ), False
    if any(issubclass(kind, ssl.SSLError | requests.exceptions.SSLError) for kind in kinds):
        return "it does not speak TLS as it should; check whether api_url is http or https", False
    if is_this_machine(address) and any(issubclass(kind, ConnectionRefusedError) for kind in kinds):
        return "nothing listens there on this machine; is the sandbox still running?", False
    lasting = requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL | requests.TooManyRedirects
    return "check the network and try again", not isinstance(error, lasting)


def _proxy_of(address: str) -> str:
    """Name the proxy for an address and the variable that it stands in, without its password."""
    scheme = urlsplit(address).scheme
    proxies = proxies_for(address)
    found = proxies.get(scheme) or proxies.get("all") or ""
    # what stands before an @ may be secret, with a scheme before it or without
    bare = re.sub(r"^(\w+://)?.*@", r"\1", found) if found else "of the system"
    for name in (f"{scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if os.environ.get(variable) == found:
                return f"{bare} ({variable})"
    return bare


def _causes(error: BaseException) -> Any:
    """Return an error and all that it came from, inside its arguments too."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting += [one for one in inner if isinstance(one, BaseException)]
