// The admin API: health, metrics and what happens in the conferences (deploy/docs/admin-api.md).
// Read only.
//
// It shows full addresses: whoever may connect to its listener may see them. It must never show a
// key, a password or a token.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/http.h"
#include "control/rooms.h"
#include "control/snapshots.h"

namespace viaduct::control {

class Admin final : public HttpHandler {
 public:
  // `now` is read once for each request that asks the workers; the other arguments outlive this
  // object.
  Admin(const Rooms& rooms, SnapshotGatherer& snapshots, std::vector<const MetricSource*> metrics,
        std::function<Timestamp()> now)
      : rooms_(rooms), snapshots_(snapshots), metrics_(std::move(metrics)), now_(std::move(now)) {}

  void handle(const HttpRequest& request, Respond respond) override;

  // Why /readyz says 503; empty: ready.
  void set_unready(std::string reason) { unready_ = std::move(reason); }

 private:
  void list(Respond respond);
  // Asks the worker of a conference for its snapshot, and answers with what `write` makes of it.
  using Write = std::string (*)(const RoomView&, const std::vector<conference::WorkerSnapshot>&);
  void show_room(std::string_view encoded_name, Write write, Respond respond);

  const Rooms& rooms_;
  SnapshotGatherer& snapshots_;
  std::vector<const MetricSource*> metrics_;
  std::function<Timestamp()> now_;
  std::string unready_ = "starting";
};

// The bodies of GET /v1/conferences and GET /v1/conferences/{id}. A participant whose worker does
// not know it yet is "joining".
std::string write_conference_list(const std::vector<RoomView>& rooms,
                                  const std::vector<conference::WorkerSnapshot>& snapshots);
std::string write_conference(const RoomView& room,
                             const std::vector<conference::WorkerSnapshot>& snapshots);

// Undoes percent-encoding (RFC 3986 section 2.1); nothing for a malformed one.
std::optional<std::string> decode_percent(std::string_view text);

}  // namespace viaduct::control
