// The kernel's part of an af_xdp port: media_filter.c decides for each frame whether the bridge gets it or the kernel.
//
// DPDK's af_xdp driver loads the program and binds a socket to each queue; here the bridge says what the program takes.
// All of it happens while the bridge starts, with CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW. It never touches a program of
// somebody else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace viaduct::xdp {

// The compiled program, beside the bridge once it is installed, in the build folder before that: for the driver's
// argument xdp_prog.
Result<std::filesystem::path> media_filter_path();

// Keeps `interface` for this process until it ends, and takes away a filter that a bridge left there which was killed:
// the driver would not replace it. To be called before the driver opens the interface. Fails where another bridge runs
// on it, where another XDP program is attached, and, without CAP_SYS_ADMIN, where any is.
Result<void> claim_interface(const std::string& interface);

// From now on UDP to the ports first .. first + count - 1 goes to the bridge and everything else to the kernel. To be
// called when the driver has attached the filter, and again to change the range; no ports are taken before.
Result<void> set_media_ports(const std::string& interface, uint16_t first, uint16_t count);

// From now on all that arrives goes to the bridge.
Result<void> take_everything(const std::string& interface);

// How many receive queues the interface spreads frames over; 0 where it does not say. Frames of a queue that has no
// socket go to the kernel, media too.
size_t receive_queues(const std::string& interface);

}  // namespace viaduct::xdp
