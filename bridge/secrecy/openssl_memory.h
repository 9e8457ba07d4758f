// Everything that OpenSSL allocates lives in secret memory: sessions with their master secrets, key
// schedules, private keys, and what it forgets to wipe.
#pragma once

namespace viaduct::secrecy {

// Must come before OpenSSL has allocated anything, which means first in main(); false when it came
// too late.
[[nodiscard]] bool keep_openssl_in_secret_memory();

}  // namespace viaduct::secrecy
