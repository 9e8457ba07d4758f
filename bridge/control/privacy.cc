#include "control/privacy.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>

namespace viaduct::control {
namespace {

using conference::EndpointId;
using conference::HeldBack;
using Participant = PrivacyReport::Participant;
using ByEndpoint = std::unordered_map<EndpointId, const Participant*>;

bool is_active(const conference::SourceSnapshot& source) { return source.rate.bits_per_second > 0; }

bool sends_here(const conference::EndpointSnapshot* endpoint) {
  return endpoint && std::any_of(endpoint->sources.begin(), endpoint->sources.end(), is_active);
}

// Fingerprints are hexadecimal digits after an algorithm's name, in whatever case.
bool are_same(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

// Whether each of two sees the certificate that the other says it has. Somebody between them would
// have to show both another one.
std::optional<bool> fingerprints_agree(const DirectProtection& a, const DirectProtection& b) {
  for (const auto* text :
       {&a.local_fingerprint, &a.remote_fingerprint, &b.local_fingerprint, &b.remote_fingerprint}) {
    if (text->empty()) return std::nullopt;
  }
  return are_same(a.local_fingerprint, b.remote_fingerprint) &&
         are_same(b.local_fingerprint, a.remote_fingerprint);
}

std::optional<PrivacyReport::DirectClaim> claim_of(const RoomView& room, const Participant& p) {
  if (!p.person->direct) return std::nullopt;
  PrivacyReport::DirectClaim claim{&*p.person->direct, false, std::nullopt, sends_here(p.endpoint)};
  if (room.people.size() != 2) return claim;
  const RoomView::Person& other = room.people[p.person == &room.people[0] ? 1 : 0];
  claim.by_both = other.direct.has_value();
  if (claim.by_both)
    claim.fingerprints_agree = fingerprints_agree(*p.person->direct, *other.direct);
  return claim;
}

MediaPath path_of(const Participant& p) {
  const bool is_direct = p.direct && p.direct->by_both && !p.direct->media_at_bridge &&
                         p.direct->fingerprints_agree.value_or(true);
  if (is_direct) return MediaPath::Direct;
  return p.endpoint && p.endpoint->state == "connected" ? MediaPath::Bridge : MediaPath::None;
}

PrivacyReport::Stream stream_of(const Participant& p, const conference::SourceSnapshot& source) {
  PrivacyReport::Stream stream{&source, verdict_of(source.declared_e2ee, source.observed)};
  stream.active = is_active(source);
  stream.forwarded = stream.active && !source.muted && source.held_back == HeldBack::No;
  const bool sealed_by_sender =
      stream.verdict == E2eeVerdict::Consistent || stream.verdict == E2eeVerdict::Undecided;
  stream.bridge_reads = p.path != MediaPath::Direct && !sealed_by_sender;
  return stream;
}

// A slot does not say which of several sources of its kind it carries: the worst of them counts.
bool bridge_reads(const Participant& sender, codec::MediaKind kind) {
  return std::any_of(sender.sends.begin(), sender.sends.end(), [kind](const auto& stream) {
    return stream.source->kind == kind && stream.bridge_reads;
  });
}

// Of whom somebody hears something in a mix: all whose sound is in clear. The others they do not hear.
void add_mixed(const Participant& p, const ByEndpoint& all,
               std::vector<PrivacyReport::Reception>& out) {
  const auto slot = std::ranges::find(p.endpoint->slots, codec::MediaKind::Audio,
                                      &conference::SlotSnapshot::kind);
  if (slot == p.endpoint->slots.end()) return;
  for (const auto& [endpoint, sender] : all) {
    const bool is_mixed = std::ranges::any_of(sender->sends, [](const auto& stream) {
      return stream.source->kind == codec::MediaKind::Audio && stream.forwarded &&
             stream.verdict == E2eeVerdict::Undeclared &&
             stream.source->observed != conference::ObservedBodies::Ciphertext;
    });
    if (sender == &p || !is_mixed) continue;
    out.push_back({codec::MediaKind::Audio, slot->mid, sender->person->id, MediaPath::Bridge,
                   /*bridge_reads=*/true, /*mixed=*/true});
  }
}

std::vector<PrivacyReport::Reception> receptions_of(const Participant& p, const ByEndpoint& all) {
  std::vector<PrivacyReport::Reception> out;
  for (const auto& [endpoint, sender] : all) {
    if (sender == &p || sender->path != MediaPath::Direct) continue;
    for (const auto& stream : sender->sends) {
      if (!stream.source->muted)
        out.push_back({stream.source->kind, std::nullopt, sender->person->id, MediaPath::Direct,
                       /*bridge_reads=*/false});
    }
  }
  if (!p.endpoint) return out;
  if (p.person->mixed) add_mixed(p, all, out);
  for (const conference::SlotSnapshot& slot : p.endpoint->slots) {
    const auto found = slot.carries ? all.find(*slot.carries) : all.end();
    if (found == all.end() || found->second->path == MediaPath::Direct) continue;
    out.push_back({slot.kind, slot.mid, found->second->person->id, MediaPath::Bridge,
                   bridge_reads(*found->second, slot.kind)});
  }
  return out;
}

std::string counted(size_t n, const char* one, const char* many) {
  return std::to_string(n) + (n == 1 ? one : many);
}

// What there is of all streams.
struct Totals {
  size_t forwarded = 0;  // or would be, once sent
  size_t readable = 0;   // of these
  size_t held_back = 0;
  size_t held_back_readable = 0;
};

Totals count(const PrivacyReport& report) {
  Totals totals;
  for (const Participant& p : report.participants) {
    for (const auto& stream : p.sends) {
      const bool is_held_back = stream.source->held_back != HeldBack::No;
      ++(is_held_back ? totals.held_back : totals.forwarded);
      if (stream.bridge_reads) ++(is_held_back ? totals.held_back_readable : totals.readable);
    }
  }
  return totals;
}

std::string sentence_of(const PrivacyReport& report, const Totals& totals) {
  const size_t people = report.participants.size();
  const bool all_direct =
      people == 2 && std::all_of(report.participants.begin(), report.participants.end(),
                                 [](const auto& p) { return p.path == MediaPath::Direct; });
  if (all_direct)
    return "Media flows directly between the two participants; the bridge carries none of it.";
  if (totals.forwarded == 0)
    return totals.held_back == 0 ? "Nobody sends anything." : "Nothing is forwarded.";
  if (totals.readable == 0) {
    return people == 1 ? "Only the one participant can decrypt what they send; the bridge cannot."
                       : "Only the " + std::to_string(people) +
                             " participants can decrypt this conference; the bridge forwards what "
                             "it cannot read.";
  }
  if (totals.readable == totals.forwarded)
    return "The bridge can decrypt this conference while it forwards it; it keeps nothing.";
  return "The bridge can decrypt " + std::to_string(totals.readable) + " of the " +
         std::to_string(totals.forwarded) + " streams of this conference while it forwards " +
         (totals.readable == 1 ? "it" : "them") + "; it keeps nothing, and cannot read the other" +
         (totals.forwarded - totals.readable == 1
              ? "."
              : " " + std::to_string(totals.forwarded - totals.readable) + ".");
}

std::string summary_of(const PrivacyReport& report, const Totals& totals) {
  std::string summary = sentence_of(report, totals);
  if (totals.held_back > 0) {
    summary += " It holds back " + counted(totals.held_back, " stream", " streams") +
               ", as end-to-end encryption is required.";
  }
  const auto listeners = static_cast<size_t>(std::ranges::count_if(
      report.participants, [](const auto& p) { return p.person->mixed && p.endpoint; }));
  if (listeners > 0) {
    summary += " For " + counted(listeners, " participant", " participants") +
               " it decodes the sound of the others and mixes it into one.";
  }
  return summary;
}

}  // namespace

PrivacyReport examine_privacy(const RoomView& room,
                              const std::vector<conference::WorkerSnapshot>& snapshots) {
  std::unordered_map<EndpointId, const conference::EndpointSnapshot*> known;
  for (const auto* snapshot : find_snapshots(room, snapshots)) {
    for (const auto& e : snapshot->endpoints) known.emplace(e.id, &e);
  }
  PrivacyReport report;
  report.room = &room;
  for (const RoomView::Person& person : room.people) {
    const auto found = known.find(person.endpoint);
    Participant p;
    p.person = &person;
    if (found != known.end()) p.endpoint = found->second;
    p.direct = claim_of(room, p);
    p.path = path_of(p);
    if (p.endpoint) {
      for (const auto& source : p.endpoint->sources) p.sends.push_back(stream_of(p, source));
    }
    report.participants.push_back(std::move(p));
  }
  ByEndpoint all;
  for (const Participant& p : report.participants) all.emplace(p.person->endpoint, &p);
  for (Participant& p : report.participants) p.receives = receptions_of(p, all);

  const Totals totals = count(report);
  report.bridge_can_decrypt = totals.readable + totals.held_back_readable > 0;
  report.summary = summary_of(report, totals);
  return report;
}

}  // namespace viaduct::control
