// What the bot says: one JSON object a line on stdout, each with "event" and, where it is about a
// client, "client".
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>

namespace viaduct::call_bot {

inline void say(const nlohmann::ordered_json& event) {
  const std::string line = event.dump() + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);  // whoever reads waits for it
}

}  // namespace viaduct::call_bot
