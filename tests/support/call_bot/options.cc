#include "tests/support/call_bot/options.h"

#include <CLI/CLI.hpp>
#include <map>
#include <regex>

#include "tests/support/hex.h"

namespace viaduct::call_bot {
namespace {

constexpr size_t MaxClients = 500;
constexpr unsigned MaxSeconds = 3600;
constexpr size_t MaxNeedleBytes = 256;

Duration to_duration(double seconds) { return Duration(static_cast<int64_t>(seconds * 1e9)); }

const std::map<std::string, BodyKind> BodyKinds = {{"plain-vp8", BodyKind::PlainVp8},
                                                   {"random", BodyKind::Random},
                                                   {"sframe", BodyKind::SFrame},
                                                   {"needle", BodyKind::Needle}};

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options o;
  std::string url, needle;
  double seconds = 10, leave_after = 0, needle_for = 0;
  CLI::App app(
      "Joins clients without a browser to a conference of a running bridge. Prints one JSON object "
      "a line; exits 1 when a client could not join, connect or understand what it received.");
  app.add_option("--url", url, "the bridge's page, ws://host:port")->required();
  app.add_option("--conference", o.conference, "which conference");
  app.add_option("--token", o.token, "the token to join with");
  app.add_option("--from", o.from, "the address that the clients have");
  app.add_option("--clients", o.clients, "how many")->check(CLI::Range(size_t{1}, MaxClients));
  app.add_option("--seconds", seconds, "of media, once all are connected")
      ->check(CLI::Range(0u, MaxSeconds));
  app.add_option("--leave-after", leave_after, "seconds after which all but the first leave")
      ->check(CLI::Range(0u, MaxSeconds));
  app.add_flag("--audio", o.audio, "send audio (without --audio and --video: both)");
  app.add_flag("--video", o.video, "send video");
  app.add_option("--bodies", o.bodies, "what the frames hold: plain-vp8, random, sframe, needle")
      ->transform(CLI::CheckedTransformer(BodyKinds, CLI::ignore_case));
  app.add_option("--needle", needle, "hex digits, repeated in every frame in place of noise");
  app.add_option("--needle-for", needle_for, "seconds after which noise replaces the needle")
      ->check(CLI::Range(0u, MaxSeconds));
  app.add_flag("--declare-e2ee", o.declare_e2ee, "say that the frames are encrypted end to end");
  app.add_flag("--e2ee-wanted", o.e2ee_wanted, "turn end-to-end encryption of the conference on");
  app.add_flag("--require-e2ee", o.require_e2ee, "join with require_e2ee");
  app.add_flag("--mixed", o.mixed, "join with mixed: what is heard is nothing that anybody sent");
  app.add_flag("--stay", o.stay, "go on until stdin ends, at most --seconds");
  app.add_flag("--show-keys", o.show_keys,
               "print every secret that a client shares with the bridge");
  try {
    app.parse(argc, argv);
    std::smatch parts;
    if (!std::regex_match(url, parts, std::regex("ws://([^:/]+):([0-9]{1,5})/?")))
      throw CLI::ValidationError("--url", "must be ws://host:port");
    o.host = parts[1];
    o.port = parts[2];
    o.needle = testing::from_hex(needle);
    if (o.needle.size() > MaxNeedleBytes || 2 * o.needle.size() != needle.size())
      throw CLI::ValidationError("--needle", "must be an even number of hex digits, at most 512");
    if (o.bodies == BodyKind::Needle && o.needle.empty())
      throw CLI::ValidationError("--bodies", "needle asks for --needle");
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return std::nullopt;
  }
  if (!o.audio && !o.video) o.audio = o.video = true;
  o.seconds = to_duration(seconds);
  if (app.count("--leave-after")) o.leave_after = to_duration(leave_after);
  if (app.count("--needle-for")) o.needle_for = to_duration(needle_for);
  return o;
}

}  // namespace viaduct::call_bot
