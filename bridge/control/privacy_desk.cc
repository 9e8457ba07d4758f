#include "control/privacy_desk.h"

#include <set>
#include <unordered_map>

#include "control/privacy.h"

namespace viaduct::control {

void PrivacyDesk::handle_timers(Timestamp now) {
  if (asking_) return;
  const std::vector<SocketId> sockets = rooms_.take_privacy_questions();
  if (sockets.empty()) return;
  std::set<size_t> workers;
  for (const SocketId socket : sockets) {
    const Room* room = rooms_.room_of(socket);
    if (!room) continue;
    const std::vector<size_t> where = room->workers();
    workers.insert(where.begin(), where.end());
  }
  asking_ = true;
  const bool asked = snapshots_.start({workers.begin(), workers.end()}, now,
                                      [this, sockets](const Answers& answers) {
                                        asking_ = false;
                                        answer(sockets, answers);
                                      });
  if (asked) return;
  asking_ = false;
  answer(sockets, std::nullopt);
}

void PrivacyDesk::answer(const std::vector<SocketId>& sockets, const Answers& answers) {
  std::unordered_map<const Room*, std::shared_ptr<const std::string>> texts;
  for (const SocketId socket : sockets) {
    const Room* room = rooms_.room_of(socket);
    if (!room) continue;
    std::shared_ptr<const std::string>& text = texts[room];
    if (answers && !text) {
      const RoomView view = room->view();
      text = std::make_shared<const std::string>(
          write_privacy_message(examine_privacy(view, *answers)));
    }
    rooms_.answer_privacy(socket, text);
  }
}

}  // namespace viaduct::control
