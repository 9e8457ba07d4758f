// Runs in the kernel for each frame that an interface receives (XDP): the bridge's media goes to the bridge, everything
// else stays with the kernel, so that SSH, HTTP, ARP and neighbour discovery on the same interface live on.
//
// Media is UDP over IPv4 without options (RFC 791) or over IPv6 without extension headers (RFC 8200), in a plain
// Ethernet frame or behind one 802.1Q tag, to a port of the range in `media_ports`. The range is empty at first:
// nothing is taken until the bridge has said what (media_filter.h). A frame that is not understood, and one for which
// no socket is open any more, is passed to the kernel, never dropped.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

// DPDK's af_xdp driver looks for this map by its name and puts the socket of each queue into it.
struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, 256);
  __type(key, __u32);
  __type(value, __u32);
} xsks_map SEC(".maps");

// What the bridge takes: UDP ports, in this machine's byte order, or all that arrives.
enum { FirstPort, PortCount, Everything, TakenEntries };
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, TakenEntries);
  __type(key, __u32);
  __type(value, __u32);
} media_ports SEC(".maps");

struct vlan_tag {
  __be16 control;
  __be16 protocol;
};

static __always_inline __u32 taken(__u32 entry) {
  const __u32* value = bpf_map_lookup_elem(&media_ports, &entry);
  return value ? *value : 0;
}

static __always_inline int is_media(const struct udphdr* udp, const void* end) {
  if ((const void*)(udp + 1) > end) return 0;
  return (__u32)bpf_ntohs(udp->dest) - taken(FirstPort) < taken(PortCount);
}

static __always_inline int is_media_ipv4(const struct iphdr* ip, const void* end) {
  if ((const void*)(ip + 1) > end || ip->version != 4 || ip->ihl != 5 || ip->protocol != IPPROTO_UDP) return 0;
  const __u16 more_fragments_or_offset = 0x3fff;
  if (ip->frag_off & bpf_htons(more_fragments_or_offset)) return 0;
  return is_media((const struct udphdr*)(ip + 1), end);
}

static __always_inline int is_media_ipv6(const struct ipv6hdr* ip, const void* end) {
  if ((const void*)(ip + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_UDP) return 0;
  return is_media((const struct udphdr*)(ip + 1), end);
}

static __always_inline int is_media_frame(const struct ethhdr* ethernet, const void* end) {
  if ((const void*)(ethernet + 1) > end) return 0;

  const void* payload = ethernet + 1;
  __be16 protocol = ethernet->h_proto;
  if (protocol == bpf_htons(ETH_P_8021Q)) {
    const struct vlan_tag* tag = payload;
    if ((const void*)(tag + 1) > end) return 0;
    protocol = tag->protocol;
    payload = tag + 1;
  }

  if (protocol == bpf_htons(ETH_P_IP)) return is_media_ipv4(payload, end);
  if (protocol == bpf_htons(ETH_P_IPV6)) return is_media_ipv6(payload, end);
  return 0;
}

SEC("xdp")
int media_filter(struct xdp_md* frame) {
  const struct ethhdr* ethernet = (const void*)(long)frame->data;
  if (!taken(Everything) && !is_media_frame(ethernet, (const void*)(long)frame->data_end)) return XDP_PASS;
  return bpf_redirect_map(&xsks_map, frame->rx_queue_index, XDP_PASS);
}

// The kernel asks what a program is licensed under. No helper that is used here is for GPL programs alone.
char LICENSE[] SEC("license") = "Apache-2.0";
