"""The sandbox's replies, and its refusals in the words of the service."""

from __future__ import annotations

from typing import Any, NamedTuple


class Reply(NamedTuple):
    """
    An answer: its status, its body (JSON values, or bytes as they are), and headers of its own.

    A body of bytes is HTML unless `is_json`.
    """

    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    is_json: bool = False


def failure(status: int, code: str, message: str) -> Reply:
    """Return an error in the service's form; its message says who refuses."""
    return Reply(status, {"error_code": code, "error_message": f"sandbox: {message}"})


class RefusalError(Exception):
    """A request is refused."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = failure(status, code, message)
