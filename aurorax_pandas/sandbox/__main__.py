"""Serve until interrupted: ``python -m aurorax_pandas.sandbox --port 8000``."""

import argparse
import logging

from aurorax_pandas.sandbox.jobs import DEMONSTRATION
from aurorax_pandas.sandbox.server import serve


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m aurorax_pandas.sandbox", description=DEMONSTRATION)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8000, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sandbox = serve(arguments.host, arguments.port)
    with sandbox:
        try:
            sandbox.join()
        except KeyboardInterrupt:
            logging.getLogger("aurorax_pandas.sandbox").info("stopped")


if __name__ == "__main__":
    main()
