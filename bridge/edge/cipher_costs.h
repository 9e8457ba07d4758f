// What a batch costs on each engine, measured: the figures that the choice between CPU and GPU rests on, and that
// `viaduct gpu-check` shows.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "edge/cipher_choice.h"
#include "edge/session_cipher.h"

namespace viaduct::kernels {
class Gpu;
}

namespace viaduct::edge {

struct BatchTime {
  Duration thread{};   // in which the calling thread was busy with it
  Duration latency{};  // until it came back
};

// Seals batches of 1,200-byte packets for as many receivers, one payload for all of them.
class CipherTrial {
 public:
  CipherTrial(std::unique_ptr<SessionCipher> cipher, srtp::SrtpProfile profile, size_t most_packets,
              std::function<Timestamp()> clock);
  ~CipherTrial();

  // `packets` up to most_packets. The shortest of `repetitions` runs, as others are of the machine's making.
  BatchTime time(size_t packets, size_t repetitions);
  // Packets a second, with several batches under way.
  double rate(size_t packets, size_t batches);

 private:
  BatchTime time_once(size_t packets);
  CipherBatch batch_of(size_t lane, size_t packets);

  struct Room;
  const std::unique_ptr<Room> room_;  // outlives the cipher, whose device may reach into it
  const std::unique_ptr<SessionCipher> cipher_;
  const std::function<Timestamp()> clock_;
  uint64_t next_index_ = 1;
};

using MakeSessionCipher = std::function<std::unique_ptr<SessionCipher>()>;

// Takes some milliseconds on a GPU.
Result<CipherCosts> measure_cipher_costs(srtp::SrtpProfile profile,
                                         const std::shared_ptr<kernels::Gpu>& gpu,
                                         const MakeSessionCipher& make_cpu,
                                         const std::function<Timestamp()>& clock);

}  // namespace viaduct::edge
