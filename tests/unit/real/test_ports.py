"""A port that a test was given is its own until its process ends."""

import socket

import pytest

from tests.real import free_port


def test_a_port_that_was_given_is_given_to_nobody_else_and_a_server_can_take_it() -> None:
    port = free_port()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname()[1] == port
