"""Ethernet frames made by hand: right ones, and from a seed any number of wrong ones."""
import random
import socket
import struct

from addresses import BRIDGE_V4, BRIDGE_V6, PEER_V4, PEER_V6

ARP, IPV4, IPV6, VLAN = 0x0806, 0x0800, 0x86DD, 0x8100
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
BROADCAST = "ff:ff:ff:ff:ff:ff"
PEER_MAC = "02:00:00:00:00:02"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def v4(text):
    return socket.inet_pton(socket.AF_INET, text)


def v6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(to, kind, payload, tag=None):
    middle = struct.pack("!HH", VLAN, tag) if tag is not None else b""
    return mac(to) + mac(PEER_MAC) + middle + struct.pack("!H", kind) + payload


def ipv4(protocol, payload, source=PEER_V4, to=BRIDGE_V4, fragment=0, options=b""):
    length = 20 + len(options) + len(payload)
    header = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, length, 1, fragment, 64, protocol, 0, v4(source),
                         v4(to)) + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def ipv6(next_header, payload, source=PEER_V6, to=BRIDGE_V6, hops=64):
    return struct.pack("!IHBB16s16s", 0x60000000, len(payload), next_header, hops, v6(source), v6(to)) + payload


def pseudo_header(source, to, protocol, length):
    if ":" in to:
        return v6(source) + v6(to) + struct.pack("!II", length, protocol)
    return v4(source) + v4(to) + struct.pack("!HH", protocol, length)


def udp(port, payload, source=PEER_V4, to=BRIDGE_V4, source_port=40000):
    length = 8 + len(payload)
    whole = struct.pack("!HHHH", source_port, port, length, 0) + payload
    total = checksum(pseudo_header(source, to, UDP, length) + whole) or 0xFFFF
    return whole[:6] + struct.pack("!H", total) + payload


def arp_request(target=BRIDGE_V4, sender=PEER_V4):
    return struct.pack("!HHBBH6s4s6s4s", 1, IPV4, 6, 4, 1, mac(PEER_MAC), v4(sender), bytes(6), v4(target))


def echo(payload):
    whole = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + payload
    return whole[:2] + struct.pack("!H", checksum(whole)) + whole[4:]


def icmpv6(kind, body, source=PEER_V6, to=BRIDGE_V6):
    whole = struct.pack("!BBH", kind, 0, 0) + body
    total = checksum(pseudo_header(source, to, ICMPV6, len(whole)) + whole)
    return whole[:2] + struct.pack("!H", total) + body


def neighbour_solicitation():
    return icmpv6(135, bytes(4) + v6(BRIDGE_V6) + b"\x01\x01" + mac(PEER_MAC))


def stun_request(randomness):
    """A binding request that nobody has the password for."""
    attributes = struct.pack("!HH", 6, 8) + b"who:what" + struct.pack("!HH", 8, 20) + randomness.randbytes(20)
    return struct.pack("!HHI", 1, len(attributes), 0x2112A442) + randomness.randbytes(12) + attributes


def right_frames(to, media_port, randomness):
    """One of each kind that the bridge's host understands."""
    return [
        ethernet(BROADCAST, ARP, arp_request()),
        ethernet(to, IPV4, ipv4(ICMP, echo(b"x" * 56))),
        ethernet(to, IPV6, ipv6(ICMPV6, icmpv6(128, b"\0\7\0\1" + b"x" * 56))),
        ethernet(to, IPV6, ipv6(ICMPV6, neighbour_solicitation(), hops=255)),
        ethernet(to, IPV4, ipv4(UDP, udp(media_port, stun_request(randomness)))),
        ethernet(to, IPV6, ipv6(UDP, udp(media_port, stun_request(randomness), PEER_V6, BRIDGE_V6))),
        ethernet(to, IPV4, ipv4(UDP, udp(media_port, b"\x80" + randomness.randbytes(200)))),
        ethernet(to, IPV4, ipv4(UDP, udp(9, b"no one listens"))),
        ethernet(to, IPV4, ipv4(TCP, randomness.randbytes(20))),
        ethernet(to, IPV4, ipv4(ICMP, struct.pack("!BBHHH", 3, 4, 0, 0, 1200) + ipv4(UDP, bytes(8))[:28])),
    ]


def cut(frame, randomness):
    return frame[:randomness.randint(14, len(frame))]


def flip(frame, randomness):
    wrong = bytearray(frame)
    for _ in range(randomness.randint(1, 8)):
        wrong[randomness.randrange(12, len(wrong))] ^= 1 << randomness.randrange(8)
    return bytes(wrong)


def lie_about_length(frame, randomness):
    """Overwrites two bytes behind the Ethernet header: lengths, offsets, header sizes, checksums."""
    at = randomness.randrange(12, min(len(frame) - 1, 64))
    return frame[:at] + struct.pack("!H", randomness.choice([0, 1, 7, 8, 0x7FFF, 0x8000, 0xFFFF])) + frame[at + 2:]


def append(frame, randomness):
    return (frame + randomness.randbytes(randomness.randint(1, 1400)))[:1514]


def tag_again(frame, randomness):
    tags = b"".join(struct.pack("!HH", VLAN, randomness.randrange(1 << 16)) for _ in range(randomness.randint(1, 4)))
    return frame[:12] + tags + frame[12:]


def fragment(frame, randomness):
    payload = randomness.randbytes(randomness.randint(1, 400))
    offset = randomness.choice([0x2000, 0x2001, 0x1FFF, 0x3FFF, 0x00B9])
    return ethernet(":".join(f"{b:02x}" for b in frame[:6]), IPV4, ipv4(UDP, payload, fragment=offset))


def garbage(frame, randomness):
    return frame[:14] + randomness.randbytes(randomness.randint(0, 1500))


def wrong_frames(count, to, media_port, seed):
    randomness = random.Random(seed)
    templates = right_frames(to, media_port, randomness)
    ways = [cut, flip, lie_about_length, append, tag_again, fragment, garbage]
    for _ in range(count):
        frame = randomness.choice(templates)
        for _ in range(randomness.choice([1, 1, 1, 2])):
            frame = randomness.choice(ways)(frame, randomness)
        yield frame[:1514]


class Wire:
    """What sends frames as they are, in the calling thread's namespace."""

    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((interface, 0))

    def send(self, frames):
        sent = 0
        for frame in frames:
            self.socket.send(frame)
            sent += 1
        return sent

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
