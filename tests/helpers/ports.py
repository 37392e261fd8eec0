"""A port for a server that can't be told to take any."""

import random
import socket


def free_port() -> int:
    """One that is free, and below those that the system gives to connections: one of these could take it meanwhile."""
    while True:
        port = random.randint(20_000, 30_000)
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
