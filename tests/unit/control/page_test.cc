#include "control/page.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace viaduct::control {
namespace {

namespace fs = std::filesystem;

Page page(std::vector<std::string> allowed_origins = {}) {
  Site site;
  site.add("/index.html", "<!doctype html>");
  site.add("/main.js", "run();");
  return Page(std::move(site), std::move(allowed_origins));
}

HttpRequest get(std::string target) {
  return {.method = "GET", .target = std::move(target), .host = "meet.example:8080"};
}

std::string header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(Page, ServesItsFilesWithTheirTypes) {
  const HttpResponse index = page().answer(get("/?conference=standup"));
  EXPECT_EQ(index.status, 200u);
  EXPECT_EQ(index.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(*index.body, "<!doctype html>");
  EXPECT_EQ(page().answer(get("/main.js")).content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(content_type_of("/a.svg"), "image/svg+xml");
  EXPECT_EQ(content_type_of("/a.exe"), "application/octet-stream");
}

TEST(Page, ForbidsEverythingThatThePageDoesNotNeed) {
  const HttpResponse response = page().answer(get("/"));
  const std::string policy = header(response, "Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self';")) << policy;
  EXPECT_NE(policy.find("connect-src 'self' ws://meet.example:8080;"), std::string::npos) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
}

TEST(Page, KnowsNoPathButItsFiles) {
  for (const char* target :
       {"/../etc/passwd", "//index.html", "/./index.html", "/%2e%2e/x", "/main.js/", "index.html",
        "", "*", "http://meet.example/index.html"}) {
    EXPECT_EQ(page().answer(get(target)).status, 404u) << target;
  }
}

TEST(Page, AllowsOnlyGetAndHead) {
  HttpRequest request = get("/");
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"}) {
    request.method = method;
    const HttpResponse response = page().answer(request);
    EXPECT_EQ(response.status, 405u) << method;
    EXPECT_EQ(header(response, "Allow"), "GET, HEAD");
  }
}

TEST(Page, WritesNoStrangeHostIntoItsPolicy) {
  HttpRequest request = get("/");
  for (const char* host : {"", "a b", "a;script-src", "a\r\nX: y", "a'b"}) {
    request.host = host;
    EXPECT_EQ(page().answer(request).status, 400u) << host;
  }
}

TEST(Page, AsksForAnUpgradeAtTheSignallingPath) {
  EXPECT_EQ(page().answer(get("/v1/signal")).status, 426u);
}

TEST(Page, OpensSocketsForItsOwnOriginAndThoseAllowed) {
  const auto status = [](const Page& p, const char* origin) {
    HttpRequest request = get("/v1/signal");
    request.origin = origin;
    const auto refusal = p.refuse_upgrade(request);
    return refusal ? refusal->status : 101u;
  };
  EXPECT_EQ(status(page(), ""), 101u);
  EXPECT_EQ(status(page(), "http://meet.example:8080"), 101u);
  EXPECT_EQ(status(page(), "http://MEET.example:8080"), 101u);
  EXPECT_EQ(status(page(), "http://meet.example"), 403u);
  EXPECT_EQ(status(page(), "https://evil.example"), 403u);
  EXPECT_EQ(status(page(), "null"), 403u);
  EXPECT_EQ(status(page({"https://other.example"}), "https://other.example"), 101u);
  EXPECT_EQ(status(page({"https://other.example"}), "https://other.example.evil"), 403u);
  EXPECT_EQ(status(page({"*"}), "https://evil.example"), 101u);
  EXPECT_EQ(page().refuse_upgrade(get("/other"))->status, 404u);
}

class SiteFolder : public testing::Test {
 protected:
  SiteFolder() {
    std::string pattern = (fs::temp_directory_path() / "site-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~SiteFolder() override { fs::remove_all(folder); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }
  fs::path folder;
};

TEST_F(SiteFolder, IsReadWithItsSubfoldersButWithoutHiddenFiles) {
  write("index.html", "home");
  write("icons/logo.svg", "<svg/>");
  write(".secret", "x");
  write(".git/config", "x");
  const Result<Site> site = Site::load(folder.string());
  ASSERT_TRUE(site.ok()) << site.error().text;
  EXPECT_EQ(*site->find("/")->body, "home");
  EXPECT_NE(site->find("/icons/logo.svg"), nullptr);
  EXPECT_EQ(site->find("/.secret"), nullptr);
  EXPECT_EQ(site->find("/.git/config"), nullptr);
}

TEST_F(SiteFolder, NeedsAnIndex) {
  write("main.js", "x");
  const Result<Site> site = Site::load(folder.string());
  ASSERT_FALSE(site.ok());
  EXPECT_NE(site.error().text.find("index.html"), std::string::npos);
  EXPECT_NE(site.error().text.find("web-root"), std::string::npos);
  EXPECT_FALSE(Site::load((folder / "nowhere").string()).ok());
}

}  // namespace
}  // namespace viaduct::control
