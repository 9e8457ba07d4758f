// The page listener's TLS settings as an OpenSSL context: TLS 1.2 and 1.3, from PEM files or with a
// certificate made in memory.
//
// A key must never be written anywhere.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "control/settings.h"

struct ssl_ctx_st;

namespace viaduct::control {

using SslContext = std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)>;

// Reads the files of `settings`, or makes a self-signed P-256 certificate for `host` that is good
// for 30 days from `wall` (time since 1970). An error names the file and what is wrong with it. Not
// for TlsMode::Off.
Result<SslContext> make_tls_context(const TlsSettings& settings, const std::string& host,
                                    Duration wall);

}  // namespace viaduct::control
