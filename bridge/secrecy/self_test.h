// Trust, but try: the process attempts to create files where programs usually can, and must fail
// everywhere.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace viaduct::secrecy {

// The folders that are tried: the current one, /tmp, /dev/shm and $HOME.
std::vector<std::string> usual_folders();

// Tries each folder twice, by a name and without one (O_TMPFILE). Whatever comes to be is removed
// at once; then the error says where it was.
Result<void> try_to_write_files(const std::vector<std::string>& folders = usual_folders());

}  // namespace viaduct::secrecy
