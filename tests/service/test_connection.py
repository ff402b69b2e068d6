import dataclasses

import pytest

from aurorax_pandas.options import service_in_force
from aurorax_pandas.service.connection import Connection

KEY = "a-secret-of-mine"


def test_the_key_of_a_connection_shows_nowhere():
    connection = Connection(service_in_force("https://example.org", KEY))
    shown = [repr(connection), str(connection), str(dataclasses.asdict(connection)), str(vars(connection))]
    assert [text for text in shown if KEY in text] == []
    with connection.opened() as transport:
        assert KEY not in repr(vars(transport)) + str(vars(transport))


def test_a_connection_does_not_change():
    connection = Connection(service_in_force("https://example.org", KEY))
    with pytest.raises(dataclasses.FrozenInstanceError):
        connection.api_url = "https://example.com"
