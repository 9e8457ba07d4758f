// The command line of the load tester, checked.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "protocol/srtp/srtp_profile.h"
#include "tests/load/media_receiver.h"
#include "tests/load/scenario.h"

namespace viaduct::load {

struct Options {
  std::string host, port;
  std::string token;
  std::vector<std::string> from;
  std::vector<srtp::SrtpProfile> profiles;
  Verify verify = Verify::Sample;
  bool segment = false;
  size_t handshake_threads = 1;
  std::optional<pid_t> bridge_pid;
  std::string metrics_url;
  std::string json_file, csv_file, html_file;
  bool quiet = false;
  Scenario scenario;
};

// Prints what is wrong, or the help, and sets `exit_code` when there is nothing to do.
std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code);

}  // namespace viaduct::load
