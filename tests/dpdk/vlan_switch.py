"""A switch port that tags: what a host sends untagged goes on with a tag, and the other way round.

It works on frames in a thread of its own, so no kernel needs to know VLANs.
"""
import select
import socket
import struct
import threading

SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
TAG_IS_VALID = 1 << 4  # TP_STATUS_VLAN_VALID
LONGEST = 2048


def port_of(interface):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    port.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.bind((interface, 3))
    return port


def tag_of(ancillary):
    """The tag of a frame, which the kernel takes out and hands over beside it; None without one."""
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tag, _ = struct.unpack("IIIHHHH", data[:20])
            return tag & 0xFFF if status & TAG_IS_VALID else None
    return None


class VlanSwitch:
    """Between `host`, which is untagged, and `trunk`, both interfaces of the calling thread's namespace."""

    def __init__(self, host, trunk, vlan):
        self.host, self.trunk, self.vlan = port_of(host), port_of(trunk), vlan
        self.stop_reading, self.stop = socket.socketpair()
        self.thread = threading.Thread(target=self.forward, daemon=True)
        self.thread.start()

    def forward(self):
        while True:
            readable, _, _ = select.select([self.host, self.trunk, self.stop_reading], [], [])
            if self.stop_reading in readable:
                return
            for port in readable:
                frame, ancillary, _, _ = port.recvmsg(LONGEST, 256)
                if port is self.host:
                    self.trunk.send(frame[:12] + struct.pack("!HH", 0x8100, self.vlan) + frame[12:])
                elif tag_of(ancillary) == self.vlan:
                    self.host.send(frame)

    def close(self):
        self.stop.close()
        self.thread.join()
        for each in (self.host, self.trunk, self.stop_reading):
            each.close()
