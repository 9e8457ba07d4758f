#include "dpdk/ip/neighbours.h"

#include <algorithm>

namespace viaduct::dpdk::ip {

Neighbours::Neighbours(const std::vector<IpAddress>& gateways, size_t others) : capacity_(gateways.size() + others) {
  entries_.reserve(capacity_);
  for (const IpAddress& gateway : gateways) entries_.push_back({.ip = gateway, .is_gateway = true});
  plan();
}

std::optional<MacAddress> Neighbours::find(const IpAddress& ip, Timestamp now) {
  Entry* entry = entry_of(ip);
  if (entry == nullptr) {
    admit(ip, now);
    return std::nullopt;
  }
  entry->used = now;
  return entry->mac;
}

bool Neighbours::learn(const IpAddress& ip, const MacAddress& mac, bool overrides, Timestamp now) {
  Entry* entry = entry_of(ip);
  if (entry == nullptr || entry->asked == 0) return false;
  if (entry->mac && entry->mac != mac && !overrides) return false;
  entry->mac = mac;
  entry->asked = 0;
  entry->answered = now;
  entry->due = now + AnswersHold;
  plan();
  return true;
}

bool Neighbours::is_asking(const IpAddress& ip) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.ip == ip && e.asked > 0; });
}

std::optional<Neighbours::Question> Neighbours::next_question(Timestamp now) {
  if (now < next_) return std::nullopt;
  std::erase_if(entries_, [&](const Entry& e) { return e.due <= now && is_over(e); });
  std::optional<Question> question;
  const auto due = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.due <= now; });
  if (due != entries_.end()) {
    if (due->asked >= Questions) due->mac.reset();
    due->asked = std::min(due->asked + 1, Questions);
    due->due = now + Patience;
    question = {due->ip, due->asked < Questions ? due->mac : std::nullopt};
  }
  plan();
  return question;
}

Neighbours::Entry* Neighbours::entry_of(const IpAddress& ip) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.ip == ip; });
  return found == entries_.end() ? nullptr : &*found;
}

// Where all places are taken, whoever does not answer gives way; a neighbour that does stays.
void Neighbours::admit(const IpAddress& ip, Timestamp now) {
  if (entries_.size() == capacity_) {
    const auto silent = std::find_if(entries_.begin(), entries_.end(),
                                     [](const Entry& e) { return !e.is_gateway && !e.mac && e.asked > 0; });
    if (silent == entries_.end()) return;
    entries_.erase(silent);
  }
  entries_.push_back({.ip = ip, .due = now, .used = now});
  plan();
}

// It has not answered, or nobody has sent to it since it has.
bool Neighbours::is_over(const Entry& entry) const {
  if (entry.is_gateway) return false;
  return entry.asked >= Questions || (entry.mac && entry.asked == 0 && entry.used <= entry.answered);
}

void Neighbours::plan() {
  next_ = Never;
  for (const Entry& entry : entries_) next_ = std::min(next_, entry.due);
}

}  // namespace viaduct::dpdk::ip
