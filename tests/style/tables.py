"""Who may include whom, and which folder wraps which library. The tables of the architecture, written once."""

# A folder's own headers are always allowed. 'protocol' stands for every folder below it, '*' for everything.
MAY_INCLUDE = {
    'base': [],
    'limits.h': ['base'],
    'protocol/stun': ['base', 'limits.h'],
    'protocol/ice': ['base', 'limits.h', 'protocol/stun', 'secrecy'],
    'protocol/srtp': ['base', 'limits.h', 'secrecy'],
    'protocol/dtls': ['base', 'limits.h', 'protocol/srtp', 'secrecy'],
    'protocol/rtp': ['base', 'limits.h'],
    'protocol/rtcp': ['base', 'limits.h', 'protocol/rtp'],
    'protocol/codec': ['base', 'limits.h', 'protocol/rtp'],
    'protocol/sframe': ['base'],
    'protocol/congestion': ['base', 'limits.h', 'protocol/rtp', 'protocol/rtcp'],
    'protocol/sdp': ['base', 'limits.h', 'protocol/codec', 'protocol/rtp', 'secrecy'],
    'kernels': ['base'],
    'edge': ['base', 'limits.h', 'protocol/srtp', 'kernels', 'secrecy'],
    'dpdk/ip': ['base', 'limits.h'],
    'dpdk/xdp': ['base'],
    'dpdk': ['base', 'limits.h', 'edge', 'dpdk/ip', 'dpdk/xdp'],
    'conference': ['base', 'limits.h', 'protocol', 'secrecy'],
    'path': ['base', 'limits.h', 'protocol', 'conference', 'edge', 'audio', 'secrecy'],
    'audio': ['base', 'limits.h', 'protocol', 'edge', 'kernels'],
    'gpu_check': ['base', 'limits.h', 'protocol', 'edge', 'kernels', 'secrecy'],
    'control': ['base', 'limits.h', 'protocol', 'conference', 'secrecy'],
    'secrecy': ['base', 'limits.h'],
    'config': ['base', 'limits.h', 'protocol'],
    'main': ['*'],
    'bridge': ['*'],
    'worker': ['*'],
    'cipher_engines': ['*'],
    'packet_edges': ['*'],
}

# Headers that read codec data, and the only files of the packet path and its state that may include them. What else is
# read behind an RTP header (the padding count, the original sequence number of RTX) is RTP's own and in protocol/rtp.
READS_PAYLOAD = {
    **{f'protocol/codec/{name}.h': ['path/read_payload.cc']
       for name in ('frame_start', 'payload_info', 'vp8', 'vp9', 'h264', 'av1')},
    'protocol/codec/plain_check.h': ['path/witness.cc'],
    'protocol/sframe/header.h': ['path/witness.cc'],
    'protocol/rtp/red.h': ['path/read_payload.cc', 'path/witness.cc'],
}

# Where a library's headers may be named: path prefixes below bridge/, or 'kernels', 'dpdk'.
WRAPPED_IN = {
    'boost': ['control/', 'config_table.cc'],
    'nlohmann': ['control/', 'gpu_check/'],
    'prometheus': ['control/'],
    'openssl': ['protocol/stun/', 'protocol/dtls/', 'protocol/srtp/', 'edge/', 'control/', 'secrecy/'],
    'srtp2': ['edge/'],
    'intel-ipsec-mb.h': ['edge/cpu_cipher_library.h'],
    'opus': ['audio/'],
    'spdlog': ['base/log.'],
    'fmt': ['base/log.', 'gpu_check/'],
    'toml++': ['config'],
    'CLI': ['config'],
    'seccomp.h': ['secrecy/'],
    'rte': ['dpdk/'],
    'bpf': ['dpdk/'],
    'xdp': ['dpdk/'],
}

# First parts of the paths of system headers, which are no library.
SYSTEM = {'arpa', 'asm', 'linux', 'net', 'netinet', 'sanitizer', 'sys'}

# The only files that name what opens a file for writing: one to forbid it, one to try whether that worked.
NAMES_WRITING = ['bridge/secrecy/seccomp_filter.cc', 'bridge/secrecy/self_test.cc']
