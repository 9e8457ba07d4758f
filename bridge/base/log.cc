#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <string>

namespace viaduct::log {
namespace {

// %J: the message as the inside of a JSON string (RFC 8259 section 7).
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&, spdlog::memory_buf_t& out) override {
    for (const char c : msg.payload) {
      switch (c) {
        case '"': append("\\\"", out); break;
        case '\\': append("\\\\", out); break;
        case '\n': append("\\n", out); break;
        default:
          if (static_cast<unsigned char>(c) < 0x20) {
            append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)), out);
          } else {
            out.push_back(c);
          }
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }

 private:
  static void append(std::string_view text, spdlog::memory_buf_t& out) {
    out.append(text.data(), text.data() + text.size());
  }
};

}  // namespace

Result<void> start(Format format, std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") {
    return Error{ErrorCode::InvalidArgument,
                 "log level '" + std::string(level) + "' is unknown; use trace, debug, info, warn, error or off"};
  }
  auto logger = std::make_shared<spdlog::logger>("viaduct", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (format == Format::Json) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<JsonMessage>('J');
    formatter->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%J"})");
    logger->set_formatter(std::move(formatter));
  } else {
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-5l%$ %v");
  }
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace viaduct::log
