// Hostile recordings for the load tester: rtpdump and pcap, told apart by their first bytes.
#include "tests/load/recording.h"

#include "base/check.h"

using namespace viaduct;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto recording = load::Recording::parse({data, size});
  if (!recording) {
    CHECK(!recording.error().text.empty());
    return 0;
  }
  Duration before{};
  for (const load::RecordedPacket& packet : recording->packets()) {
    CHECK(packet.at >= before);
    before = packet.at;
    CHECK(packet.payload.size() < size && packet.payload.size() <= packet.packet_bytes);
  }
  CHECK(!recording->stream(0).packets().empty());
  return 0;
}
