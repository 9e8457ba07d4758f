// The meeting page: its files, read into memory once at start, and who may open the signalling
// socket.
//
// No request opens a file: a path is a key into a table, so there is nothing to traverse.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/http.h"

namespace viaduct::control {

// The files of a web root by the path they are served under ("/index.html").
class Site {
 public:
  static constexpr size_t MaxFiles = 1000;
  static constexpr size_t MaxBytes = 32 * 1024 * 1024;

  struct File {
    std::string content_type;
    std::shared_ptr<const std::string> body;
  };

  Site() = default;  // no files
  // Reads a folder and those below it. Hidden files are left out. An error names the folder and
  // what is wrong with it.
  static Result<Site> load(const std::string& folder);

  void add(std::string path, std::string body);
  const File* find(std::string_view path) const;  // "/" is "/index.html"

 private:
  std::map<std::string, File, std::less<>> files_;
};

// The content type for a file name's ending; "application/octet-stream" for an unknown one.
std::string content_type_of(std::string_view path);

class Page final : public HttpHandler {
 public:
  static constexpr const char* SignalPath = "/v1/signal";

  Page(Site site, std::vector<std::string> allowed_origins)
      : site_(std::move(site)), allowed_origins_(std::move(allowed_origins)) {}

  void handle(const HttpRequest& request, Respond respond) override { respond(answer(request)); }
  HttpResponse answer(const HttpRequest& request) const;

  // The answer to an upgrade for another path (404) or from a page of another origin (403); nothing
  // for a good one.
  std::optional<HttpResponse> refuse_upgrade(const HttpRequest& request) const;

 private:
  bool is_origin_allowed(const HttpRequest& request) const;

  Site site_;
  std::vector<std::string> allowed_origins_;
};

}  // namespace viaduct::control
