#!/usr/bin/env python3
"""Writes golden/conversation.pcap, what arrives at a bridge, and golden/answers.pcap, what has to leave it.

Anything that reads pcap reads them. They are made by code that shares nothing with the bridge; the rules of the
conversation are those of conversation.h: a STUN request is answered by success, other datagrams by themselves
backwards.
"""
import pathlib
import random
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "dpdk"))
import frames as f  # noqa: E402

US, ROUTER, STRANGER = "02:00:00:00:00:01", "02:00:00:00:00:03", "02:00:00:00:00:05"
US_V4, US_V6, MEDIA = "192.0.2.1", "2001:db8::1", 10000
ADA, ALAN, GRACE = ("198.51.100.7", 5000), ("192.0.2.55", 6000), ("2001:db8:9::7", 7000)
ALAN_MAC, ALAN_V6 = "02:00:00:00:00:55", "2001:db8::55"
MAY_NOT_BE_FRAGMENTED = 0x4000


def frame(source, to, kind, payload):
    return f.mac(to) + f.mac(source) + struct.pack("!H", kind) + payload


def to_us(mac, peer, payload):
    address, port = peer
    if ":" in address:
        return frame(mac, US, f.IPV6, f.ipv6(f.UDP, f.udp(MEDIA, payload, address, US_V6, port), address, US_V6))
    return frame(mac, US, f.IPV4, f.ipv4(f.UDP, f.udp(MEDIA, payload, address, US_V4, port), address, US_V4))


def from_us_v4(protocol, payload, to):
    """As the bridge writes them: never fragmented, so the identification is free to be 0 (RFC 6864 section 4.1)."""
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, MAY_NOT_BE_FRAGMENTED, 64, protocol, 0,
                         f.v4(US_V4), f.v4(to))
    return header[:10] + struct.pack("!H", f.checksum(header)) + header[12:] + payload


def from_us(mac, peer, payload):
    address, port = peer
    if ":" in address:
        return frame(US, mac, f.IPV6, f.ipv6(f.UDP, f.udp(port, payload, US_V6, address, MEDIA), US_V6, address))
    return frame(US, mac, f.IPV4, from_us_v4(f.UDP, f.udp(port, payload, US_V4, address, MEDIA), address))


def request(randomness):
    return struct.pack("!HHI", 1, 0, 0x2112A442) + randomness.randbytes(12)


def answer_to(payload):
    return b"\x01\x01" + payload[2:] if payload[:2] == b"\0\x01" else payload[::-1]


def echo(kind, payload):
    whole = struct.pack("!BBHHH", kind, 0, 0, 7, 1) + payload
    return whole[:2] + struct.pack("!H", f.checksum(whole)) + whole[4:]


def advertisement():
    body = struct.pack("!I", 0x60000000) + f.v6(US_V6) + b"\x02\x01" + f.mac(US)  # solicited, override
    return f.ipv6(f.ICMPV6, f.icmpv6(136, body, US_V6, ALAN_V6), US_V6, ALAN_V6, hops=255)


def conversation(randomness):
    """(frame that arrives, frames that leave because of it)"""
    def said(mac, peer, payload, way=None):
        return to_us(mac, peer, payload), [from_us(way or mac, peer, answer_to(payload))]

    def media(size):
        return b"\x80" + randomness.randbytes(size - 1)

    yield said(ROUTER, ADA, request(randomness))
    yield said(ALAN_MAC, ALAN, request(randomness))
    yield said(ROUTER, GRACE, request(randomness))
    for size in (1, 2, 3, 60, 171, 1200, 1201):
        yield said(ROUTER, ADA, media(size))
        yield said(ALAN_MAC, ALAN, media(size))
        yield said(ROUTER, GRACE, media(size))
    yield said(STRANGER, ADA, media(99), way=ROUTER)  # a stranger on the link does not divert Ada's media

    wrong = bytearray(to_us(ROUTER, ADA, media(100)))
    wrong[-1] ^= 1
    yield bytes(wrong), []
    yield frame(ROUTER, US, f.IPV4, f.ipv4(f.UDP, media(64), ADA[0], US_V4, fragment=0x2000)), []
    yield to_us(ROUTER, ADA, media(80))[:60], []

    asked = struct.pack("!HHBBH6s4s6s4s", 1, f.IPV4, 6, 4, 1, f.mac(ALAN_MAC), f.v4(ALAN[0]), bytes(6), f.v4(US_V4))
    told = struct.pack("!HHBBH6s4s6s4s", 1, f.IPV4, 6, 4, 2, f.mac(US), f.v4(US_V4), f.mac(ALAN_MAC), f.v4(ALAN[0]))
    yield frame(ALAN_MAC, f.BROADCAST, f.ARP, asked), [frame(US, ALAN_MAC, f.ARP, told)]
    sought = f.icmpv6(135, bytes(4) + f.v6(US_V6) + b"\x01\x01" + f.mac(ALAN_MAC), ALAN_V6, US_V6)
    yield (frame(ALAN_MAC, US, f.IPV6, f.ipv6(f.ICMPV6, sought, ALAN_V6, US_V6, hops=255)),
           [frame(US, ALAN_MAC, f.IPV6, advertisement())])
    knock = f.ipv4(f.ICMP, echo(8, b"knock knock"), ALAN[0], US_V4)
    answer = from_us_v4(f.ICMP, echo(0, b"knock knock"), ALAN[0])
    yield frame(ALAN_MAC, US, f.IPV4, knock), [frame(US, ALAN_MAC, f.IPV4, answer)]


def write_pcap(path, all_frames):
    records = b"".join(struct.pack("<IIII", 0, number, len(each), len(each)) + each
                       for number, each in enumerate(all_frames))
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records)


def main():
    exchanges = list(conversation(random.Random(7)))
    write_pcap(HERE / "golden" / "conversation.pcap", [arriving for arriving, _ in exchanges])
    write_pcap(HERE / "golden" / "answers.pcap", [each for _, leaving in exchanges for each in leaving])


if __name__ == "__main__":
    main()
