// Landlock: from here on this thread, and every one that it starts, may not create, change, remove
// or execute any file anywhere, /dev/shm included. Files that are open already stay as they are.
#pragma once

#include "base/result.h"

namespace viaduct::secrecy {

// For good. NotFound where the kernel has no Landlock. Needs no_new_privileges or CAP_SYS_ADMIN.
Result<void> forbid_file_writes();

}  // namespace viaduct::secrecy
