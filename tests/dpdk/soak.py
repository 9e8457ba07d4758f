#!/usr/bin/env python3
"""A long conference through a bridge on a virtual port of DPDK's, every packet verified; exits 0 when none is missing.

  tests/dpdk/soak.py --port net_af_xdp0,iface=media --participants 10 --seconds 600
"""
import argparse
import sys

from namespaces import Cable, missing_privilege
from running_dpdk import AF_XDP, CAME_BACK, DpdkBridge, Load


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default=AF_XDP, help="for --dpdk-ports; the interface is called media")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--participants", type=int, default=10)
    parser.add_argument("--senders", type=int, default=4, help="who send video; all send audio")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--io-wait", default="block")
    options = parser.parse_args()
    if why := missing_privilege():
        sys.exit(why)

    with Cable(queues=options.workers) as cable:
        with DpdkBridge(cable, options.port, "--io-wait", options.io_wait, workers=options.workers) as bridge:
            load = Load(cable, "--participants", options.participants, "--senders", options.senders, "--audio-senders",
                        options.participants, "--video-resolution", "low", "--duration", options.seconds,
                        "--bridge-pid", bridge.pid, seconds=options.seconds + 60)
            frames = [int(bridge.count("viaduct_dpdk_port_frames_total", direction=way)) for way in ("in", "out")]
            status = bridge.stop()
    received = load.json["received"]
    corrupt = sum(kind["received"]["corrupt"] for kind in load.json["kinds"].values())
    cpu = load.json["bridge"]["cpu_percent_of_a_core"]
    print(f"frames into the bridge {frames[0]}, out of it {frames[1]}; {cpu:.0f} % of a core")
    print(f"packets received {received['packets']}, lost by the bridge {received['lost']['bridge']}, corrupt {corrupt}")
    print(f"it ended with {status}; buffers came back: {CAME_BACK in bridge.output}")
    good = load.code == 0 and status == 0 and corrupt == 0 and received["lost"]["bridge"] == 0
    sys.exit(0 if good and CAME_BACK in bridge.output else 1)


if __name__ == "__main__":
    main()
