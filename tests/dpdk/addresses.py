"""Who has which address on the two cables (namespaces.py)."""

BRIDGE_V4, PEER_V4 = "10.99.0.1", "10.99.0.2"
BRIDGE_V6, PEER_V6 = "fd99::1", "fd99::2"
MOVED_V4 = "10.99.0.3"  # the peer's after it has moved
CONTROL_BRIDGE, CONTROL_PEER = "198.18.7.1", "198.18.7.2"
