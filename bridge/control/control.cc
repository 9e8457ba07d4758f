#include "control/control.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "control/admin.h"
#include "control/http_server.h"
#include "control/page.h"
#include "control/privacy_desk.h"
#include "control/process_metrics.h"
#include "control/rooms.h"
#include "control/snapshots.h"
#include "control/token.h"

namespace viaduct::control {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr Duration TickInterval =
    250ms;                             // of timeouts, and of retries when a worker's ring was full
constexpr Duration DrainTimeout = 5s;  // for the workers to answer Stopped
constexpr Duration GoodbyeTimeout = 1s;  // for clients to close their sockets
constexpr size_t ReportsPerTurn = 1024;  // taken from one worker before others get their turn

constexpr ConnectionGate::Limits AdminConnections{64, 64, 1000};

std::vector<WorkerLink> link(const std::vector<WorkerPort*>& ports) {
  std::vector<WorkerLink> links;
  for (WorkerPort* port : ports) links.emplace_back(*port);
  return links;
}

}  // namespace

// Each event (a socket's message, a worker's report, a tick) goes through the pure parts and ends
// with deliver().
struct Control::Impl final : SocketHandler {
  Impl(Settings s, const std::vector<WorkerPort*>& ports, std::vector<const MetricSource*> sources,
       Random& r)
      : settings(std::move(s)),
        random(r),
        process(wall_since_1970()),
        workers(link(ports)),
        snapshots(workers),
        tick(io),
        metric_sources(std::move(sources)),
        stopped(ports.size(), false) {
    metric_sources.push_back(&metrics);
    metric_sources.push_back(&process);
    for (const WorkerPort* port : ports) wakeups.emplace_back(io, port->report_fd());
  }
  // The descriptors belong to the ports.
  ~Impl() override {
    for (auto& wakeup : wakeups) wakeup.release();
  }

  Result<void> start();
  Result<void> open_listeners(Site site, SslContext tls);

  // SocketHandler: what happens on the page's WebSockets.
  std::optional<HttpResponse> refuse_upgrade(const HttpRequest& request) override;
  void handle_opened(SocketId socket) override;
  void handle_message(SocketId socket, std::string_view text) override;
  void handle_closed(SocketId socket, SocketEnd end) override;

  void await_reports(size_t worker);
  void take_reports(size_t worker);
  void await_tick();
  void probe_workers();
  void deliver();
  void drain();
  void end_when_drained(Timestamp now);
  std::string public_host() const;

  asio::io_context io{1};  // first, so that what still waits in it is destroyed last
  Settings settings;
  Random& random;
  ControlMetrics metrics;
  ProcessMetrics process;
  std::vector<WorkerLink> workers;
  SnapshotGatherer snapshots;
  std::optional<TokenVerifier> tokens;
  std::unique_ptr<Rooms> rooms;
  std::optional<PrivacyDesk> privacy;
  std::unique_ptr<Page> page;
  std::unique_ptr<Admin> admin;
  std::unique_ptr<HttpServer> page_server, admin_server;
  std::vector<asio::posix::stream_descriptor> wakeups;  // [worker]
  asio::steady_timer tick;
  std::vector<const MetricSource*> metric_sources;
  bool probing = false;
  bool ready = false;
  std::optional<Timestamp> draining_since;
  std::vector<bool> stopped;  // [worker]: has said Stopped
};

Control::Control(Settings settings, std::vector<WorkerPort*> workers,
                 std::vector<const MetricSource*> metrics, Random& random)
    : impl_(std::make_unique<Impl>(std::move(settings), workers, std::move(metrics), random)) {}
Control::~Control() = default;

Result<void> Control::start() { return impl_->start(); }

void Control::run() {
  Impl& impl = *impl_;
  for (size_t i = 0; i < impl.workers.size(); ++i) impl.await_reports(i);
  impl.probe_workers();
  impl.await_tick();
  impl.io.run();
}

void Control::stop() {
  asio::post(impl_->io, [impl = impl_.get()] { impl->drain(); });
}

SocketAddress Control::page_address() const { return impl_->page_server->address(); }
SocketAddress Control::admin_address() const { return impl_->admin_server->address(); }

std::string Control::page_url() const {
  const std::string scheme = impl_->settings.page_tls.mode == TlsMode::Off ? "http://" : "https://";
  const std::string host = impl_->public_host();
  const bool bare_v6 = host.find(':') != std::string::npos;
  return scheme + (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(page_address().port) +
         "/";
}

// The name people use; without one the address, and this machine's own when it is bound to all of
// them.
std::string Control::Impl::public_host() const {
  if (!settings.public_name.empty()) return settings.public_name;
  const IpAddress& ip = settings.page_address.ip;
  return ip.is_unspecified() ? "localhost" : ip.to_string();
}

// Starting.

Result<void> Control::Impl::start() {
  CHECK(settings.candidates.size() == workers.size());
  Result<TokenVerifier> verifier = TokenVerifier::create(settings.token);
  if (!verifier) return verifier.error();
  tokens = std::move(*verifier);
  rooms = std::make_unique<Rooms>(settings, *tokens, workers, random, metrics);
  privacy.emplace(*rooms, snapshots);

  Site site;
  if (!settings.web_root.empty()) {
    Result<Site> loaded = Site::load(settings.web_root);
    if (!loaded) return loaded.error();
    site = std::move(*loaded);
  }
  SslContext tls(nullptr, nullptr);
  if (settings.page_tls.mode != TlsMode::Off) {
    Result<SslContext> made = make_tls_context(settings.page_tls, public_host(), wall_since_1970());
    if (!made) return made.error();
    tls = std::move(*made);
  }
  return open_listeners(std::move(site), std::move(tls));
}

Result<void> Control::Impl::open_listeners(Site site, SslContext tls) {
  const ControlLimits& l = settings.limits;
  page = std::make_unique<Page>(std::move(site), settings.allowed_origins);
  admin = std::make_unique<Admin>(*rooms, snapshots, metric_sources, monotonic_now);
  page_server = std::make_unique<HttpServer>(
      io,
      HttpServerSettings{Listener::Page,
                         settings.page_address,
                         "page-address",
                         {l.connections, l.connections_per_address,
                          static_cast<double>(l.new_connections_per_second)},
                         l.message_bytes,
                         static_cast<double>(l.messages_per_second)},
      std::move(tls), *page, this, metrics);
  admin_server =
      std::make_unique<HttpServer>(io,
                                   HttpServerSettings{Listener::Admin, settings.admin_address,
                                                      "admin-address", AdminConnections},
                                   SslContext(nullptr, nullptr), *admin, nullptr, metrics);
  if (Result<void> bound = page_server->start(); !bound) return bound;
  return admin_server->start();
}

// Sockets.

std::optional<HttpResponse> Control::Impl::refuse_upgrade(const HttpRequest& request) {
  if (auto refusal = page->refuse_upgrade(request)) return refusal;
  if (draining_since) return error_response(503, "the bridge is shutting down");
  if (page_server->open_sockets() >= settings.limits.sockets)
    return error_response(503, "too many clients; try again later");
  return std::nullopt;
}

void Control::Impl::handle_opened(SocketId socket) {
  rooms->handle_opened(socket, monotonic_now());
}

void Control::Impl::handle_message(SocketId socket, std::string_view text) {
  rooms->handle_message(socket, text, monotonic_now(), wall_since_1970());
  deliver();
}

void Control::Impl::handle_closed(SocketId socket, SocketEnd end) {
  rooms->handle_closed(socket, end, monotonic_now());
  deliver();
}

void Control::Impl::deliver() {
  for (const Outgoing& outgoing : rooms->take_outgoing()) page_server->send(outgoing);
}

// Workers.

void Control::Impl::await_reports(size_t worker) {
  wakeups[worker].async_wait(
      asio::posix::stream_descriptor::wait_read, [this, worker](error_code error) {
        if (error) return;
        uint64_t counter = 0;
        // The counter first, the reports after it: one that comes in between makes the descriptor
        // readable again.
        const ssize_t n = read(wakeups[worker].native_handle(), &counter, sizeof counter);
        static_cast<void>(n);
        take_reports(worker);
      });
}

void Control::Impl::take_reports(size_t worker) {
  const Timestamp now = monotonic_now();
  size_t taken = 0;
  for (; taken < ReportsPerTurn; ++taken) {
    std::optional<conference::Report> report = workers[worker].port().poll();
    if (!report) break;
    if (auto* snapshot = std::get_if<conference::SnapshotTaken>(&*report)) {
      snapshots.handle(std::move(*snapshot));
    } else if (const auto* load = std::get_if<conference::LoadMeasured>(&*report)) {
      workers[worker].load.on_report(load->busy);
    } else if (std::holds_alternative<conference::Stopped>(*report)) {
      stopped[worker] = true;
    } else {
      rooms->handle_report(*report, now);
    }
  }
  deliver();
  if (taken == ReportsPerTurn) return asio::post(io, [this, worker] { take_reports(worker); });
  await_reports(worker);
}

// Ready means that every worker has answered once.
void Control::Impl::probe_workers() {
  if (ready || probing || draining_since) return;
  std::vector<size_t> all(workers.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  probing = true;
  const bool asked = snapshots.start(all, monotonic_now(), [this](const auto& answers) {
    probing = false;
    if (!answers || draining_since) return;
    ready = true;
    admin->set_unready("");
  });
  if (!asked) probing = false;
}

void Control::Impl::await_tick() {
  tick.expires_after(TickInterval);
  tick.async_wait([this](error_code error) {
    if (error) return;
    const Timestamp now = monotonic_now();
    for (WorkerLink& worker : workers) worker.flush();
    snapshots.handle_timers(now);
    rooms->handle_timers(now);
    privacy->handle_timers(now);
    probe_workers();
    deliver();
    end_when_drained(now);
    await_tick();
  });
}

// Stopping.

void Control::Impl::drain() {
  if (draining_since) return;
  draining_since = monotonic_now();
  log::info("draining: telling clients and workers");
  admin->set_unready("draining");
  page_server->stop_accepting();
  rooms->drain();
  deliver();
  for (WorkerLink& worker : workers) worker.send(conference::Stop{});
}

void Control::Impl::end_when_drained(Timestamp now) {
  if (!draining_since) return;
  const Duration waited = now - *draining_since;
  const bool workers_done = std::find(stopped.begin(), stopped.end(), false) == stopped.end();
  const bool clients_done = page_server->open_sockets() == 0 || waited >= GoodbyeTimeout;
  if (!workers_done && waited >= DrainTimeout) log::warn("a worker did not stop in time");
  if ((workers_done && clients_done) || waited >= DrainTimeout) io.stop();
}

}  // namespace viaduct::control
