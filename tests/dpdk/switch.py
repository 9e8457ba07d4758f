"""What stands between a host and the cable, and works on its frames in a thread: no kernel needs to know of it.

A `Vlan` tags what the host sends and takes the tag from what it gets. A `Translator` gives the host another address in
the middle of a call, as a phone has that goes from one network to the next.
"""
import collections
import select
import socket
import struct
import threading

import frames

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


class Vlan:
    def __init__(self, vlan):
        self.vlan = vlan

    def outward(self, frame):
        return frame[:12] + struct.pack("!HH", frames.VLAN, self.vlan) + frame[12:]

    def inward(self, frame, tag):
        return frame if tag == self.vlan else None


def is_udp(frame):
    return frame[12:14] == b"\x08\0" and frame[14] == 0x45 and frame[23] == frames.UDP


def readdressed(frame, at, address):
    """The same datagram with another IPv4 address in its header: at 12 is the source, at 16 the destination."""
    ip, udp = bytearray(frame[14:34]), bytearray(frame[34:14 + int.from_bytes(frame[16:18], "big")])
    ip[at:at + 4] = address
    ip[10:12] = bytes(2)
    ip[10:12] = struct.pack("!H", frames.checksum(bytes(ip)))
    udp[6:8] = bytes(2)
    pseudo = bytes(ip[12:20]) + struct.pack("!HH", frames.UDP, len(udp))
    udp[6:8] = struct.pack("!H", frames.checksum(pseudo + bytes(udp)) or 0xFFFF)
    return frame[:14] + bytes(ip) + bytes(udp)


class Translator:
    """After move() the host's datagrams come from `new`, and what is sent there reaches it."""

    def __init__(self, old, new):
        self.old, self.new = frames.v4(old), frames.v4(new)
        self.moved = False
        self.received = collections.Counter()  # datagrams to the new address, by port

    def move(self):
        self.moved = True

    def outward(self, frame):
        if self.moved and is_udp(frame) and frame[26:30] == self.old:
            return readdressed(frame, 12, self.new)
        return frame

    def inward(self, frame, _):
        if is_udp(frame) and frame[30:34] == self.new:
            self.received[int.from_bytes(frame[36:38], "big")] += 1
            return readdressed(frame, 16, self.old)
        return frame


class Switch:
    """Between interfaces of the calling thread's namespace, `host` and `trunk`; `way` says what becomes of frames."""

    def __init__(self, host, trunk, way):
        self.host, self.trunk, self.way = port_of(host), port_of(trunk), way
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
                    self.trunk.send(self.way.outward(frame))
                elif passed := self.way.inward(frame, tag_of(ancillary)):
                    self.host.send(passed)

    def close(self):
        self.stop.close()
        self.thread.join()
        for each in (self.host, self.trunk, self.stop_reading):
            each.close()
