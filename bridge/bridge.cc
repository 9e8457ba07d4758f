#include "bridge.h"

#include <pthread.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "secrecy/secret_file.h"

namespace viaduct {
namespace {

constexpr Duration LongestHandshakeSleep = 500ms;
constexpr Duration LongestMixingSleep = 500ms;

// The text of a file that the configuration names; empty when it names none.
Result<secrecy::SecretString> read_file(const std::filesystem::path& path,
                                        std::string_view option) {
  if (path.empty()) return secrecy::SecretString();
  auto text = secrecy::read_secret_file(path);
  if (text) return text;
  return Error{text.error().code, "cannot read " + path.string() + ", which --" +
                                      std::string(option) + " names: " + text.error().text};
}

std::string_view without_last_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

control::TlsMode tls_mode(TlsMode mode) {
  switch (mode) {
    case TlsMode::Off:
      return control::TlsMode::Off;
    case TlsMode::Ephemeral:
      return control::TlsMode::Ephemeral;
    case TlsMode::Files:
      return control::TlsMode::Files;
  }
  return control::TlsMode::Off;
}

}  // namespace

Result<void> Bridge::open() {
  const auto certificate = dtls::Certificate::make(random_, wall_since_1970());
  if (!certificate) return certificate.error();
  auto context = dtls::Context::make(*certificate, *config_.srtp_profiles);
  if (!context) return context.error();
  handshakes_ = std::make_unique<path::HandshakeService>(std::move(*context));

  const dtls::Fingerprint& fingerprint = certificate->fingerprint();
  if (const auto opened = open_workers(fingerprint); !opened) return opened;
  auto settings = control_settings(fingerprint);
  if (!settings) return settings.error();
  std::vector<control::WorkerPort*> ports;
  for (const auto& worker : workers_) ports.push_back(worker.get());
  control_ =
      std::make_unique<control::Control>(std::move(*settings), std::move(ports), metrics_, random_);
  return control_->start();
}

void Bridge::start() {
  for (const auto& worker : workers_) worker->start();
  handshake_thread_ = std::thread([this] { run_handshakes(); });
  if (mixes_) mixing_thread_ = std::thread([this] { run_mixing(); });
  log::info("the meeting page is at {}", control_->page_url());
  log::info("admin at http://{}", control_->admin_address().to_string());
}

void Bridge::run() { control_->run(); }

Bridge::~Bridge() {
  for (const auto& worker : workers_) worker->send(conference::Stop{});
  for (const auto& worker : workers_) worker->join();
  handshakes_stop_ = true;
  bell_.ring();
  if (handshake_thread_.joinable()) handshake_thread_.join();
  mixing_stop_ = true;
  mix_bell_.ring();
  if (mixing_thread_.joinable()) mixing_thread_.join();
}

// Worker i has its own UDP port media-port + i, its own packet pool, keys and conferences.
Result<void> Bridge::open_workers(const dtls::Fingerprint& certificate) {
  auto engines = CipherEngines::open(config_);
  if (!engines) return engines.error();
  ciphers_ = std::move(*engines);
  metrics_.push_back(ciphers_.get());
  auto edges = PacketEdges::open(config_);
  if (!edges) return edges.error();
  edges_ = std::move(*edges);
  metrics_.push_back(edges_.get());
  for (uint32_t i = 0; i < *config_.workers; ++i) {
    auto io = edges_->make(i);
    if (!io) return io.error();
    const auto port = static_cast<uint16_t>(*config_.media_port + i);
    std::vector<SocketAddress> candidates;
    for (const IpAddress& ip : *config_.advertise) candidates.push_back({ip, port});
    candidates_.push_back(std::move(candidates));

    auto opener = ciphers_->make(edge::Direction::Unprotect);
    if (!opener) return opener.error();
    auto sealer = ciphers_->make(edge::Direction::Protect);
    if (!sealer) return sealer.error();
    for (edge::BatchCipher* cipher : {opener->get(), sealer->get()})
      cipher->expect_packets_in((*io)->memory());
    Worker::Parts parts{std::move(*io), std::move(*opener), std::move(*sealer)};
    workers_.push_back(
        std::make_unique<Worker>(i, std::move(parts), *config_.video_codecs, certificate, bell_));
    metrics_.push_back(workers_.back().get());
    handshakes_->serve(workers_.back()->handshake_port());
  }
  if (const auto connected = connect_workers(); !connected) return connected;
  if (const auto opened = open_mixing(); !opened) return opened;
  pools_locked_ = pools_locked_ && edges_->are_pools_locked();
  log::info("{} worker(s), media on UDP port {} and up", workers_.size(), *config_.media_port);
  return {};
}

// A ring from each worker to each other, for conferences that are spread over several.
Result<void> Bridge::connect_workers() {
  auto mesh = path::RelayMesh::open(workers_.size());
  if (!mesh) return mesh.error();
  relay_.emplace(std::move(*mesh));
  pools_locked_ = pools_locked_ && relay_->is_locked();
  std::vector<edge::PacketIo*> ios;
  for (const auto& worker : workers_) ios.push_back(&worker->io());
  for (uint32_t i = 0; i < workers_.size(); ++i)
    workers_[i]->connect_relay(relay_->links_of(i, ios));
  return {};
}

Result<void> Bridge::open_mixing() {
  if (!*config_.mixed_audio) return {};
  mixes_ = std::make_unique<audio::MixService>(ciphers_->make_audio(), *config_.mix_voices,
                                               thread_cpu_time);
  metrics_.push_back(&mixes_->counters());
  for (const auto& worker : workers_) {
    auto port = audio::MixPort::open(&mix_bell_);
    if (!port) return port.error();
    pools_locked_ = pools_locked_ && (*port)->is_locked();
    worker->connect_mix(**port);
    mixes_->serve(**port);
    mix_ports_.push_back(std::move(*port));
  }
  return {};
}

Result<control::Settings> Bridge::control_settings(const dtls::Fingerprint& certificate) const {
  auto secret = read_file(*config_.token_secret_file, config_.token_secret_file.name());
  if (!secret) return secret.error();
  auto public_key = read_file(*config_.token_public_key, config_.token_public_key.name());
  if (!public_key) return public_key.error();

  control::Settings s;
  s.page_address = *config_.page_address;
  s.admin_address = *config_.admin_address;
  s.page_tls = {tls_mode(*config_.tls), (*config_.tls_certificate).string(),
                (*config_.tls_key).string()};
  s.web_root = (*config_.web_root).string();
  s.allowed_origins = *config_.allowed_origins;
  s.direct_allowed = *config_.direct;
  s.ice_servers = *config_.ice_servers;
  s.require_e2ee = *config_.require_e2ee;
  s.mixed_audio = *config_.mixed_audio;
  s.token = {.required = *config_.token_required,
             .hs256_secret = without_last_newline(*secret),
             .es256_public_key_pem = std::string(public_key->view()),
             .issuer = *config_.token_issuer,
             .audience = *config_.token_audience};
  s.limits.participants = *config_.max_participants;
  s.limits.participants_per_conference = *config_.max_participants_per_conference;
  s.limits.conferences = *config_.max_conferences;
  s.participants_per_worker = *config_.participants_per_worker;
  s.audio_slots = *config_.audio_slots;
  s.video_slots = *config_.video_slots;
  s.video_preference = *config_.video_codecs;
  s.candidates = candidates_;
  s.fingerprint_algorithm = certificate.algorithm;
  s.fingerprint = certificate.digest;
  return s;
}

// DTLS on a thread of its own; a worker is woken when there is an answer for it.
void Bridge::run_handshakes() {
  pthread_setname_np(pthread_self(), "handshakes");
  while (!handshakes_stop_) {
    const Timestamp now = monotonic_now();
    const bool more = handshakes_->turn(now);
    for (const auto& worker : workers_) {
      if (worker->handshake_port().has_replies()) worker->wake();
    }
    if (!more)
      bell_.wait(
          std::clamp<Duration>(handshakes_->next_deadline() - now, 0ns, LongestHandshakeSleep));
  }
}

// Opus on a thread of its own; a worker is woken when there are mixes for it.
void Bridge::run_mixing() {
  pthread_setname_np(pthread_self(), "mixing");
  while (!mixing_stop_) {
    mixes_->turn(monotonic_now());
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (mix_ports_[i]->has_frames()) workers_[i]->wake();
    }
    const Timestamp now = monotonic_now();
    mix_bell_.wait(std::clamp<Duration>(mixes_->next_deadline() - now, 0ns, LongestMixingSleep));
  }
}

}  // namespace viaduct
