// A bridge that takes its packets from DPDK: one cable is for media, on which the bridge itself is the host, and
// another for the page.

import { missingNamespaces, NamespacedBridge, run } from './namespaced_bridge.mjs';

const [BridgeMedia, PeerMedia] = ['10.98.0.1', '10.98.0.2'];
const [BridgePage, PeerPage] = ['198.18.8.1', '198.18.8.2'];
// What a veth leaves out while both of its ends are in one machine.
const Offloads = ['rx', 'tx', 'gso', 'tso', 'gro', 'txvlan', 'rxvlan'].flatMap((name) => [name, 'off']);

/** Why this machine cannot have one; null where it can. */
export function missingForDpdk() {
  return missingNamespaces('veth and ethtool', (name) => {
    run('ip', '-n', name, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    run('ethtool', '--version');
  });
}

export class DpdkBridge extends NamespacedBridge {
  /** A running bridge that is ready. `port`: for --dpdk-ports; its interface is called media. */
  static start(port, extra = []) {
    const bridge = new DpdkBridge(['bridge', 'peer'], BridgePage);
    return bridge.start(() => bridge.#connect(), '--io', 'dpdk', '--dpdk-ports', port, '--dpdk-addresses',
      `${BridgeMedia}/24`, ...extra);
  }

  chromium() { return super.chromium('peer'); }

  #connect() {
    for (const cable of ['media', 'page']) {
      this.lay(cable, 'peer', (end) =>
        run('ip', 'netns', 'exec', end, 'ethtool', '--features', cable, ...Offloads));
    }
    this.ip('bridge', 'address', 'add', `${BridgePage}/24`, 'dev', 'page');
    this.ip('peer', 'address', 'add', `${PeerPage}/24`, 'dev', 'page');
    this.ip('peer', 'address', 'add', `${PeerMedia}/24`, 'dev', 'media');
    this.ip('peer', 'route', 'add', 'default', 'dev', 'media'); // Chromium gathers candidates by the default route
  }
}
