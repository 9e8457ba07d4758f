// RTCP that the bridge sends on its own account, as it falls due: SR and RR with SDES,
// transport-wide feedback, NACKs for gaps, key-frame requests, BYE.
#pragma once

#include "conference/directory.h"
#include "path/counters.h"
#include "path/tx_queue.h"
#include "protocol/rtcp/write.h"

namespace viaduct::path {

class Reports {
 public:
  static constexpr Duration ReportInterval = 500ms;

  Reports(conference::Directory& directory, TxQueue& queue, const NtpClock& ntp,
          PathCounters& counters)
      : directory_(directory), queue_(queue), ntp_(ntp), counters_(counters) {}

  // Queues what is due for one connected client.
  void run(Handle<Endpoint> who, Endpoint& endpoint, Timestamp now);
  // Queues BYE for all of the bridge's streams to the client.
  void say_goodbye(Handle<Endpoint> who, Endpoint& endpoint);

 private:
  // Queues one SRTCP packet with what write(MutableBytes) puts into it and says the size of;
  // nothing when that is 0.
  template <typename Write>
  void send(Handle<Endpoint> who, Endpoint& endpoint, Write&& write);
  size_t write_reports(MutableBytes space, Endpoint& endpoint, Timestamp now);
  // False when there was no room.
  bool write_sender_report(rtcp::CompoundWriter& out, const Endpoint& endpoint,
                           const conference::Subscription& slot, Timestamp now);
  bool write_mix_report(rtcp::CompoundWriter& out, const Endpoint& endpoint,
                        const conference::Subscription& slot, Timestamp now);
  size_t write_requests(MutableBytes space, Endpoint& endpoint, Timestamp now);
  void ask_for_key_frame(rtcp::CompoundWriter& out, const Endpoint& endpoint,
                         const conference::Source& source, conference::Encoding& stream);

  conference::Directory& directory_;
  TxQueue& queue_;
  const NtpClock& ntp_;
  PathCounters& counters_;
};

}  // namespace viaduct::path
