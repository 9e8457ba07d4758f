#include "dpdk/xdp/media_filter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace viaduct::xdp {
namespace {

constexpr std::string_view ProgramName = "media_filter";
constexpr std::string_view MapName = "media_ports";
enum MapEntry : uint32_t { FirstPort, PortCount, Everything };  // as in media_filter.c

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct Attached {
  uint32_t program = 0;  // its number; 0 when there is none
  uint32_t mode = 0;     // XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE or XDP_FLAGS_HW_MODE
};

Error refused(const std::string& what, int error) {
  return {error == EPERM || error == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Unavailable,
          what + " (" + std::strerror(error) + "); give the bridge CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF, and run a " +
              "kernel with XDP sockets"};
}

Error not_attached(const std::string& interface) {
  return {ErrorCode::NotFound, "the media filter is not attached to '" + interface +
                                   "'; let its af_xdp port load share/viaduct/media_filter.o (xdp_prog)"};
}

Result<int> index_of(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index != 0) return static_cast<int>(index);
  return Error{ErrorCode::NotFound, "there is no network interface '" + interface + "'; name one that `ip link` lists"};
}

uint32_t mode_flag(uint8_t attach_mode) {
  switch (attach_mode) {
    case XDP_ATTACHED_SKB: return XDP_FLAGS_SKB_MODE;
    case XDP_ATTACHED_HW: return XDP_FLAGS_HW_MODE;
    default: return XDP_FLAGS_DRV_MODE;
  }
}

Result<Attached> attached_program(int index, const std::string& interface) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  if (const int status = bpf_xdp_query(index, 0, &query); status != 0)
    return refused("the XDP program of '" + interface + "' cannot be asked for", -status);
  return Attached{query.prog_id, mode_flag(query.attach_mode)};
}

template <typename Info>
bool look_at(int fd, Info& info) {
  uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(fd, &info, &size) == 0;
}

// This process's descriptor of the first BPF object of a kind (bpf-prog, bpf-map) that `matches`; -1 without one. The
// driver has them open. Others' could be opened by number, but not without CAP_SYS_ADMIN.
template <typename Info, typename Matches>
int own_descriptor(std::string_view kind, Matches matches) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    if (std::filesystem::read_symlink(entry, error).string() != "anon_inode:" + std::string(kind)) continue;
    const int fd = std::atoi(entry.path().filename().c_str());
    Info info{};
    if (look_at(fd, info) && matches(info)) return fd;
  }
  return -1;
}

// The descriptor of the filter's map; it stays the driver's.
Result<int> map_of(const std::string& interface) {
  const auto index = index_of(interface);
  if (!index) return index.error();
  const auto attached = attached_program(*index, interface);
  if (!attached) return attached.error();

  const int program = own_descriptor<bpf_prog_info>("bpf-prog", [&](const bpf_prog_info& info) {
    return info.id == attached->program && info.name == ProgramName;
  });
  std::array<uint32_t, 16> maps{};
  bpf_prog_info info{};
  info.nr_map_ids = static_cast<uint32_t>(maps.size());
  info.map_ids = reinterpret_cast<uintptr_t>(maps.data());
  if (program < 0 || !look_at(program, info)) return not_attached(interface);

  const auto ids = std::span(maps).first(std::min<size_t>(info.nr_map_ids, maps.size()));
  const int map = own_descriptor<bpf_map_info>("bpf-map", [&](const bpf_map_info& candidate) {
    return candidate.name == MapName && std::find(ids.begin(), ids.end(), candidate.id) != ids.end();
  });
  if (map < 0) return not_attached(interface);
  return map;
}

Result<void> set(int map, MapEntry entry, uint32_t value) {
  const uint32_t key = entry;
  if (bpf_map_update_elem(map, &key, &value, BPF_ANY) == 0) return {};
  return refused("the media filter cannot be told what to take", errno);
}

// A name that one process of this network namespace can have at a time, and that the kernel frees when it ends.
Result<void> keep_name(int index, const std::string& interface) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "viaduct/xdp/" + std::to_string(index);
  std::copy(name.begin(), name.end(), address.sun_path + 1);  // a zero first: no file
  Descriptor lock(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(lock.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) {
    lock.release();
    return {};
  }
  if (errno != EADDRINUSE) return refused("'" + interface + "' cannot be claimed", errno);
  return Error{ErrorCode::AlreadyExists,
               "another af_xdp port, of this bridge or of another, has '" + interface +
                   "'; stop the other bridge, or give one port all queues of the interface (queue_count)"};
}

// Takes the program away if it is our filter: the bridge that it belonged to is gone, since the interface is ours now.
Result<void> remove_left_filter(int index, const Attached& attached, const std::string& interface) {
  const Descriptor program(bpf_prog_get_fd_by_id(attached.program));
  bpf_prog_info info{};
  if (!program.valid() || !look_at(program.get(), info) || info.name != ProgramName)
    return Error{ErrorCode::AlreadyExists, "'" + interface + "' has an XDP program already; take it away by 'ip link " +
                                               "set dev " + interface + " xdp off'"};
  log::info("Taking away the media filter that a bridge left on {}", interface);
  LIBBPF_OPTS(bpf_xdp_attach_opts, only_this, .old_prog_fd = program.get());
  const int status = bpf_xdp_detach(index, attached.mode, &only_this);
  if (status == 0) return {};
  return refused("the media filter that was left on '" + interface + "' cannot be taken away", -status);
}

// libbpf writes to stderr by itself, also on behalf of DPDK's driver; what matters comes back as an error.
int log_quietly(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  std::array<char, 256> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string_view text(line.data());
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  log::debug("libbpf: {}", text);
  return length;
}

}  // namespace

Result<std::filesystem::path> media_filter_path() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const std::filesystem::path& candidate :
       {program.parent_path().parent_path() / VIADUCT_INSTALLED_MEDIA_FILTER,
        std::filesystem::path(VIADUCT_BUILT_MEDIA_FILTER)})
    if (std::filesystem::is_regular_file(candidate, error)) return candidate;
  return Error{ErrorCode::NotFound,
               "the media filter (share/viaduct/media_filter.o) is not beside the program; build with clang and "
               "libbpf-dev and install it"};
}

Result<void> claim_interface(const std::string& interface) {
  libbpf_set_print(log_quietly);
  const auto index = index_of(interface);
  if (!index) return index.error();
  if (const auto kept = keep_name(*index, interface); !kept) return kept;
  const auto attached = attached_program(*index, interface);
  if (!attached) return attached.error();
  return attached->program == 0 ? Result<void>() : remove_left_filter(*index, *attached, interface);
}

Result<void> set_media_ports(const std::string& interface, uint16_t first, uint16_t count) {
  const auto map = map_of(interface);
  if (!map) return map.error();
  // An empty range in between: never one of the old start and the new length.
  const std::pair<MapEntry, uint32_t> steps[] = {
      {PortCount, 0}, {FirstPort, first}, {PortCount, count}, {Everything, 0}};
  for (const auto& [entry, value] : steps)
    if (const auto done = set(*map, entry, value); !done) return done;
  return {};
}

Result<void> take_everything(const std::string& interface) {
  const auto map = map_of(interface);
  return map ? set(*map, Everything, 1) : map.error();
}

size_t receive_queues(const std::string& interface) {
  const Descriptor any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (ioctl(any.get(), SIOCETHTOOL, &request) != 0) return 0;
  return size_t{channels.combined_count} + channels.rx_count;
}

}  // namespace viaduct::xdp
