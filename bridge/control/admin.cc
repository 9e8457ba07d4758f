#include "control/admin.h"

#include <algorithm>

#include "control/metrics.h"
#include "control/privacy.h"

namespace viaduct::control {
namespace {

constexpr std::string_view ListPath = "/v1/conferences";
constexpr std::string_view ShowPrefix = "/v1/conferences/";
constexpr std::string_view PrivacySuffix = "/privacy";  // a name's own slashes come encoded

HttpResponse text_response(unsigned status, std::string text,
                           const char* type = "text/plain; charset=utf-8") {
  return {status,
          type,
          std::make_shared<const std::string>(std::move(text)),
          {{"Cache-Control", "no-store"}}};
}

std::string write_conference_privacy(const RoomView& room,
                                     const std::vector<conference::WorkerSnapshot>& snapshots) {
  return write_privacy(examine_privacy(room, snapshots));
}

HttpResponse json_response(std::string body) {
  return text_response(200, std::move(body), "application/json");
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto high = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low) return std::nullopt;
    out.push_back(static_cast<char>(*high * 16 + *low));
    i += 2;
  }
  return out;
}

void Admin::handle(const HttpRequest& request, Respond respond) {
  const std::string_view path = request.path();
  const bool is_known = path == "/livez" || path == "/readyz" || path == "/metrics" ||
                        path == ListPath || path.starts_with(ShowPrefix);
  if (!is_known)
    return respond(error_response(404, "there is /livez, /readyz, /metrics and /v1/conferences"));
  if (request.method != "GET" && request.method != "HEAD") return respond(method_not_allowed());

  if (path == "/livez") return respond(text_response(200, "alive\n"));
  if (path == "/readyz")
    return respond(unready_.empty() ? text_response(200, "ready\n")
                                    : text_response(503, unready_ + "\n"));
  if (path == "/metrics")
    return respond(text_response(200, write_metrics(metrics_), MetricsContentType));
  if (path == ListPath) return list(std::move(respond));
  const std::string_view rest = path.substr(ShowPrefix.size());
  if (rest.ends_with(PrivacySuffix))
    return show_room(rest.substr(0, rest.size() - PrivacySuffix.size()), write_conference_privacy,
                     std::move(respond));
  show_room(rest, write_conference, std::move(respond));
}

void Admin::list(Respond respond) {
  std::vector<size_t> workers;
  for (const RoomView& room : rooms_.views()) {
    for (const size_t worker : room.workers) {
      if (std::find(workers.begin(), workers.end(), worker) == workers.end())
        workers.push_back(worker);
    }
  }
  const bool asked = snapshots_.start(workers, now_(), [this, respond](auto answers) {
    if (!answers) return respond(error_response(504, "a worker did not answer within a second"));
    respond(json_response(write_conference_list(rooms_.views(), *answers)));
  });
  if (!asked) respond(error_response(503, "too many questions at a time; try again"));
}

void Admin::show_room(std::string_view encoded_name, Write write, Respond respond) {
  const std::optional<std::string> name = decode_percent(encoded_name);
  const std::optional<RoomView> room = name ? rooms_.find(*name) : std::nullopt;
  if (!room) return respond(error_response(404, "there is no such conference"));
  const bool asked =
      snapshots_.start(room->workers, now_(), [this, respond, write, name = *name](auto answers) {
        if (!answers)
          return respond(error_response(504, "a worker did not answer within a second"));
        const std::optional<RoomView> still = rooms_.find(name);
        respond(still ? json_response(write(*still, *answers))
                      : error_response(404, "there is no such conference"));
      });
  if (!asked) respond(error_response(503, "too many questions at a time; try again"));
}

}  // namespace viaduct::control
