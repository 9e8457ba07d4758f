// seccomp: the system calls that the running bridge needs, and no others.
//
// A file is opened for reading only and no memory becomes executable. What could start another
// program or reach into another process ends this one at once, because nothing of the bridge would
// ever ask for it; anything else that is not needed fails with EPERM.
#pragma once

#include "base/result.h"

namespace viaduct::secrecy {

// What the process goes on to use beside sockets and files that are open.
struct Hardware {
  bool gpu = false;            // its driver asks its open devices for work by ioctl
  bool network_cards = false;  // driven by the program: their drivers end as they began, by ioctl
  bool xdp_filters = false;    // taken off their interfaces at the end, by a netlink socket
};

// For good, and for all threads of the process. Implies no_new_privileges.
Result<void> filter_system_calls(Hardware hardware = {});

}  // namespace viaduct::secrecy
