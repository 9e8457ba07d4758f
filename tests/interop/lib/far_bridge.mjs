// A bridge behind a cable of its own: it stands in one network namespace, and a browser in another, whose network can
// be taken away and given back. Packets of both directions are dropped without a word, as a dead radio link drops them.

import { missingNamespaces, NamespacedBridge, run } from './namespaced_bridge.mjs';

const [BridgeAddress, FarAddress] = ['198.18.9.1', '198.18.9.2'];

/** Why this machine cannot have one; null where it can. */
export function missingForFarBridge() {
  return missingNamespaces('nft', (name) =>
    run('ip', 'netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'probe'));
}

/** Its namespaces for browsers are the bridge's own ("near") and the one behind the cable ("far"). */
export class FarBridge extends NamespacedBridge {
  static start(extra = []) {
    const bridge = new FarBridge(['near', 'far'], BridgeAddress);
    return bridge.start(() => bridge.#connect(), '--media-address', BridgeAddress, '--media-port', '10000',
      '--advertise', BridgeAddress, ...extra);
  }

  /** The far browser has no network any more. */
  cutNetwork() {
    this.#nft('input', 'iifname "cable" drop');
    this.#nft('output', 'oifname "cable" drop');
  }
  /** Its connections to the page end with a reset as soon as it sends something on them; media goes on. */
  resetSockets() {
    this.#nft('output', `tcp dport ${this.pagePort} reject with tcp reset`);
  }
  restoreNetwork() { this.inside('far', 'nft', 'delete', 'table', 'inet', 'cut'); }

  #nft(hook, rule) {
    const nft = (...words) => this.inside('far', 'nft', 'add', ...words);
    nft('table', 'inet', 'cut');
    nft('chain', 'inet', 'cut', hook, `{ type filter hook ${hook} priority 0 ; }`);
    nft('rule', 'inet', 'cut', hook, ...rule.split(' '));
  }

  #connect() {
    this.lay('cable', 'far');
    for (const [name, address] of [['near', BridgeAddress], ['far', FarAddress]]) {
      this.ip(name, 'address', 'add', `${address}/24`, 'dev', 'cable');
      this.ip(name, 'route', 'add', 'default', 'dev', 'cable');  // by which Chromium gathers candidates
    }
  }
}
