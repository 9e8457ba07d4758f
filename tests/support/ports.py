"""Ports of loopback for programs that a test starts."""
import random
import socket

# Below those that the kernel gives to whoever connects or asks for any: none of them is taken while the program starts.
CHOSEN = range(20_000, 32_000)


def free_port(kind):
    """One that nobody has now, for `kind`: socket.SOCK_STREAM or socket.SOCK_DGRAM."""
    for port in random.sample(CHOSEN, 50):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError("no free port")
