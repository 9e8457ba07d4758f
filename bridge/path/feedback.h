// Step 7. RTCP from clients: sender reports set clocks, receiver reports tell loss and round trip,
// reports of arrivals what the network takes (protocol/congestion/controller.h), NACKs are answered
// from what is kept, key-frame requests go on to the source behind the slot, BYE ends a source.
#pragma once

#include "conference/directory.h"
#include "path/batch.h"
#include "path/counters.h"
#include "path/rewrite.h"
#include "protocol/rtcp/parse.h"

namespace viaduct::path {

class Feedback {
 public:
  Feedback(conference::Directory& directory, Rewrite& rewrite, const NtpClock& ntp,
           PathCounters& counters)
      : directory_(directory), rewrite_(rewrite), ntp_(ntp), counters_(counters) {}

  void run(RxBatch& rx, Timestamp now);

 private:
  void handle(const rtcp::Packet& packet, Handle<Endpoint> from, Endpoint& endpoint, Timestamp now);
  // Of either kind that congestion control reads.
  template <typename ArrivalReport>
  void handle_arrivals(const ArrivalReport& report, Endpoint& endpoint, Timestamp now);
  void handle_sender_report(const rtcp::SenderReport& report, Endpoint& endpoint, Timestamp now);
  void handle_report_blocks(const rtcp::ReportBlocks& blocks, Endpoint& endpoint, Timestamp now);
  void handle_nack(const rtcp::Nack& nack, Handle<Endpoint> from, Endpoint& endpoint,
                   Timestamp now);
  Drop resend(uint16_t sequence, uint16_t slot, Handle<Endpoint> from, Endpoint& endpoint,
              Timestamp now);
  void want_key_frame(uint32_t slot_ssrc, Endpoint& endpoint);
  void handle_bye(const rtcp::Bye& bye, Endpoint& endpoint);

  conference::Directory& directory_;
  Rewrite& rewrite_;
  const NtpClock& ntp_;
  PathCounters& counters_;
};

}  // namespace viaduct::path
