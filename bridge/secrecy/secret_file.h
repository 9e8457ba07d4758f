// A file with a secret in it, such as a private key, read straight into secret memory: no stream
// keeps a buffer of it.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "secrecy/secret_string.h"

namespace viaduct::secrecy {

// The whole file, at most limits::SecretFileBytes; pipes and what /proc holds are fine. The error
// says what is wrong, without the file's name: "it cannot be opened (No such file or directory)".
Result<SecretString> read_secret_file(const std::filesystem::path& path);

}  // namespace viaduct::secrecy
