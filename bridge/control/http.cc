#include "control/http.h"

#include <nlohmann/json.hpp>

namespace viaduct::control {

HttpResponse error_response(unsigned status, std::string_view text) {
  return {status, "application/json",
          std::make_shared<const std::string>(nlohmann::json{{"error", text}}.dump() + "\n")};
}

HttpResponse method_not_allowed() {
  HttpResponse response = error_response(405, "only GET and HEAD are allowed");
  response.headers.emplace_back("Allow", "GET, HEAD");
  return response;
}

}  // namespace viaduct::control
