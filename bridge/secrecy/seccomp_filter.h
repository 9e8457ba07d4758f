// seccomp: the system calls that the running bridge needs, and no others.
//
// A file is opened for reading only and no memory becomes executable. What could start another
// program or reach into another process ends this one at once, because nothing of the bridge would
// ever ask for it; anything else that is not needed fails with EPERM.
#pragma once

#include "base/result.h"

namespace viaduct::secrecy {

// For good, and for all threads of the process. Implies no_new_privileges.
Result<void> filter_system_calls();

}  // namespace viaduct::secrecy
