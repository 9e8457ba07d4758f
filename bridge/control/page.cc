#include "control/page.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace viaduct::control {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> ContentTypes = {{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
}};

// A host with an optional port and nothing else: it is written into a header of the response.
bool is_host(std::string_view host) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']';
  };
  return !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), fits);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// Everything from this origin only, nothing inline; the page shows pictures and sound from memory
// and opens one socket.
void add_policy(HttpResponse& response, const HttpRequest& request) {
  const std::string socket =
      (request.secure ? "wss://" : "ws://") + request.host;  // some browsers keep 'self' to http
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
      "media-src 'self' blob:; "
      "font-src 'self'; manifest-src 'self'; worker-src 'self'; connect-src 'self' " +
          socket + "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
  response.headers.emplace_back("Permissions-Policy",
                                "camera=(self), microphone=(self), display-capture=(self)");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Cache-Control", "no-cache");
}

Error cannot_read(const fs::path& path, const std::string& why) {
  return {ErrorCode::NotFound, "cannot read '" + path.string() + "': " + why +
                                   "; web-root must be the folder with the page's files"};
}

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string body{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) return cannot_read(path, "the file cannot be opened");
  return body;
}

}  // namespace

std::string content_type_of(std::string_view path) {
  for (const auto& [ending, type] : ContentTypes) {
    if (path.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

Result<Site> Site::load(const std::string& folder) {
  Site site;
  size_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) {
      if (entry->is_directory()) entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file()) continue;
    Result<std::string> body = read_file(entry->path());
    if (!body) return body.error();
    bytes += body->size();
    if (site.files_.size() >= MaxFiles || bytes > MaxBytes)
      return cannot_read(folder, "it holds more files than a page needs");
    site.add("/" + entry->path().lexically_relative(folder).generic_string(), std::move(*body));
  }
  if (error) return cannot_read(folder, error.message());
  if (!site.find("/")) return cannot_read(folder, "it has no index.html");
  return site;
}

void Site::add(std::string path, std::string body) {
  std::string type = content_type_of(path);
  files_.insert_or_assign(
      std::move(path), File{std::move(type), std::make_shared<const std::string>(std::move(body))});
}

const Site::File* Site::find(std::string_view path) const {
  const auto found = files_.find(path == "/" ? std::string_view("/index.html") : path);
  return found == files_.end() ? nullptr : &found->second;
}

HttpResponse Page::answer(const HttpRequest& request) const {
  if (!is_host(request.host)) return error_response(400, "the Host header is missing or malformed");
  if (request.method != "GET" && request.method != "HEAD") return method_not_allowed();
  HttpResponse response;
  if (const Site::File* file = site_.find(request.path())) {
    response.content_type = file->content_type;
    response.body = file->body;
  } else if (request.path() == SignalPath) {
    response = error_response(426, "this is a WebSocket");
    response.headers.emplace_back("Upgrade", "websocket");
  } else {
    response = error_response(404, "there is no such page");
  }
  add_policy(response, request);
  return response;
}

std::optional<HttpResponse> Page::refuse_upgrade(const HttpRequest& request) const {
  if (request.path() != SignalPath) return error_response(404, "signalling is at /v1/signal");
  if (!is_origin_allowed(request))
    return error_response(403, "pages of this origin may not use this bridge; see allowed-origins");
  return std::nullopt;
}

// Only a browser sends an origin, and only a browser can be made to act for a stranger's page: a
// client without one is let in.
bool Page::is_origin_allowed(const HttpRequest& request) const {
  const std::string& origin = request.origin;
  if (origin.empty()) return true;
  const size_t scheme = origin.find("://");
  if (scheme != std::string::npos &&
      equal_without_case(std::string_view(origin).substr(scheme + 3), request.host))
    return true;
  return std::any_of(allowed_origins_.begin(), allowed_origins_.end(),
                     [&](const std::string& allowed) {
                       return allowed == "*" || equal_without_case(allowed, origin);
                     });
}

}  // namespace viaduct::control
