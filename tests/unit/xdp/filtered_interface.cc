#include "filtered_interface.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "dpdk/xdp/media_filter.h"

namespace viaduct::xdp {
namespace {

constexpr uint32_t FrameBytes = 4096;
constexpr uint32_t Frames = 16;
constexpr uint32_t RingEntries = 16;

bool bring_up_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  const bool up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  close(fd);
  return up;
}

std::optional<std::string> enter_namespace() {
  if (unshare(CLONE_NEWNET) != 0 || !bring_up_loopback())
    return std::string("no network namespace of its own: ") + std::strerror(errno);
  const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::string("no AF_XDP sockets: ") + std::strerror(errno);
  close(fd);
  const int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, nullptr, 4, 4, 1, nullptr);
  if (map < 0) return std::string("no BPF: ") + std::strerror(errno);
  close(map);
  return std::nullopt;
}

void set_option(int fd, int option, const auto& value) {
  CHECK(setsockopt(fd, SOL_XDP, option, &value, sizeof value) == 0);
}

// The socket of the only queue. One for all tests: the kernel frees a queue some time after its socket is closed.
int queue_socket() {
  static const int fd = [] {
    static std::vector<uint8_t> memory(FrameBytes * (Frames + 1));
    const auto start = reinterpret_cast<uintptr_t>(memory.data());
    xdp_umem_reg frames{};
    frames.addr = (start + FrameBytes - 1) / FrameBytes * FrameBytes;
    frames.len = FrameBytes * Frames;
    frames.chunk_size = FrameBytes;

    const int opened = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    CHECK(opened >= 0);
    set_option(opened, XDP_UMEM_REG, frames);
    for (const int ring : {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING})
      set_option(opened, ring, RingEntries);
    sockaddr_xdp address{};
    address.sxdp_family = AF_XDP;
    address.sxdp_flags = XDP_COPY;
    address.sxdp_ifindex = if_nametoindex("lo");
    CHECK(bind(opened, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return opened;
  }();
  return fd;
}

// A program that passes everything, as somebody else's would be.
int load_foreign_program() {
  const bpf_insn pass[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
                           {.code = BPF_JMP | BPF_EXIT}};
  return bpf_prog_load(BPF_PROG_TYPE_XDP, "foreign", "GPL", pass, 2, nullptr);
}

}  // namespace

std::optional<std::string> FilteredInterface::missing_privilege() {
  static const std::optional<std::string> missing = enter_namespace();
  return missing;
}

FilteredInterface::FilteredInterface(With with) {
  if (with == With::ForeignProgram) {
    program_ = dup(load_foreign_program());
  } else {
    const auto path = media_filter_path();
    CHECK(path.ok());
    object_ = bpf_object__open_file(path->c_str(), nullptr);
    CHECK(object_ != nullptr && bpf_object__load(object_) == 0);
    program_ = dup(bpf_program__fd(bpf_object__find_program_by_name(object_, "media_filter")));
  }
  CHECK(bpf_xdp_attach(static_cast<int>(if_nametoindex("lo")), program_, XDP_FLAGS_SKB_MODE, nullptr) == 0);
  if (with != With::FilterAndSocket) return;
  const uint32_t queue = 0;
  const int fd = queue_socket();
  const int map = bpf_map__fd(bpf_object__find_map_by_name(object_, "xsks_map"));
  CHECK(bpf_map_update_elem(map, &queue, &fd, BPF_ANY) == 0);
}

FilteredInterface::~FilteredInterface() {
  bpf_xdp_detach(static_cast<int>(if_nametoindex("lo")), XDP_FLAGS_SKB_MODE, nullptr);
  if (object_ != nullptr) bpf_object__close(object_);
  close(program_);
}

Verdict FilteredInterface::verdict(std::span<const uint8_t> frame) const {
  LIBBPF_OPTS(bpf_test_run_opts, run);
  run.data_in = frame.data();
  run.data_size_in = static_cast<uint32_t>(frame.size());
  CHECK(bpf_prog_test_run_opts(program_, &run) == 0);
  CHECK(run.retval == XDP_PASS || run.retval == XDP_REDIRECT);
  return run.retval == XDP_REDIRECT ? Verdict::ToBridge : Verdict::ToKernel;
}

bool FilteredInterface::has_program() {
  uint32_t id = 0;
  CHECK(bpf_xdp_query_id(static_cast<int>(if_nametoindex("lo")), 0, &id) == 0);
  return id != 0;
}

}  // namespace viaduct::xdp
