// Which sources a receiver's slots carry. Whoever is shown stays where they are; only freed slots
// change hands.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "conference/subscription.h"

namespace viaduct::conference {

struct SlotChange {
  uint16_t slot = 0;
  std::optional<SourceRef> carries;
};

// What to change so that the slots of `kind` carry as many of `wanted` (most wanted first, no
// source twice) as there are slots. A source that is wanted and has a slot keeps it.
inline std::vector<SlotChange> allocate(std::span<const Subscription> slots, codec::MediaKind kind,
                                        std::span<const SourceRef> wanted) {
  const auto of_kind = [&](const Subscription& s) { return s.kind == kind; };
  wanted = wanted.first(
      std::min<size_t>(wanted.size(), static_cast<size_t>(std::ranges::count_if(slots, of_kind))));

  const auto is_wanted = [&](const SourceRef& s) {
    return std::ranges::find(wanted, s) != wanted.end();
  };
  const auto has_slot = [&](const SourceRef& w) {
    return std::ranges::any_of(slots,
                               [&](const Subscription& s) { return of_kind(s) && s.carries == w; });
  };
  std::vector<SourceRef> without_slot;
  std::ranges::copy_if(wanted, std::back_inserter(without_slot),
                       [&](const SourceRef& w) { return !has_slot(w); });

  std::vector<SlotChange> changes;
  size_t next = 0;
  for (uint16_t i = 0; i < slots.size(); ++i) {
    const Subscription& s = slots[i];
    if (!of_kind(s) || (s.carries && is_wanted(*s.carries))) continue;
    if (next < without_slot.size()) {
      changes.push_back({i, without_slot[next++]});
    } else if (s.carries) {
      changes.push_back({i, std::nullopt});
    }
  }
  return changes;
}

}  // namespace viaduct::conference
