// Spatial and temporal layers in one stream (L3T3, L3T3_KEY), told apart by the dependency descriptor: each receiver
// gets what it can use of every picture, as one continuous stream in which nothing is missing that something needs.
#include <set>

#include "protocol/rtp/dependency_descriptor.h"
#include "tests/packets/path_fixture.h"
#include "tests/support/layered_stream.h"

namespace viaduct::testing {
namespace {

using codec::CodecType;
using path::Drop;
using rtp::ExtensionType;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr size_t FrameBytes[] = {100, 300, 800};  // of a spatial layer: 180, 360 and 720 lines

class Svc : public PathFixture, public ::testing::WithParamInterface<Spatial> {
 protected:
  // Thirty pictures a second. A key frame that was asked for comes with the next one.
  void stream(Duration time) {
    for (const Timestamp end = now_ + time; now_ < end; run_for(30ms)) {
      for (const LayeredStream::Frame& frame : encoder.next(take_request())) send(sender, packet_of(frame));
      turn();
    }
  }
  // One packet is one frame, and the number of the frame is the end of its payload.
  Rtp packet_of(const LayeredStream::Frame& frame) {
    Rtp packet = sender.cam(next_sequence++);
    packet.payload_type = sender.payload_type(CodecType::Av1);
    packet.timestamp = static_cast<uint32_t>(frame.picture) * 3000;
    packet.marker = frame.ends_picture;
    packet.extensions = {{ExtensionType::DependencyDescriptor, encoder.descriptor(frame, true, true)}};
    packet.payload = pattern(FrameBytes[frame.layer.spatial], frame.number);
    store_be16(&packet.payload[packet.payload.size() - 2], frame.number);
    frames[frame.number] = frame;
    return packet;
  }
  bool take_request() {
    size_t count = 0;
    for_each_rtcp(sender, [&](const rtcp::Packet& p) { count += rtcp::parse_pli(p).has_value(); });
    if (count > 0) sender.rtcp.clear();
    asked += count;
    return count > 0;
  }
  void wish(int max_height) {
    conference::SetReceiverWishes command{receiver.id(), {.max_height = max_height}};
    path.set_wishes(command);
  }

  std::vector<ReceivedRtp> pictures() const { return receiver.received_on(receiver.ssrc(0x20)); }
  const LayeredStream::Frame& frame_of(const ReceivedRtp& packet) const {
    return frames.at(load_be16(packet.payload().last(2).data()));
  }
  uint8_t best_of(size_t last) const {
    uint8_t best = 0;
    const auto seen = pictures();
    for (size_t i = seen.size() - last; i < seen.size(); ++i) best = std::max(best, frame_of(seen[i]).layer.spatial);
    return best;
  }
  // Layers that the last packet's descriptor says there are, by what all before it have said.
  uint16_t layers_told() const {
    rtp::DependencyReader reader;
    uint16_t layers = 0;
    for (const ReceivedRtp& packet : pictures()) {
      const auto frame = reader.read(descriptor_of(packet));
      EXPECT_TRUE(frame) << "its structure did not come";
      if (frame) layers = frame->layers;
    }
    return layers;
  }
  Bytes descriptor_of(const ReceivedRtp& packet) const {
    return packet.extension(receiver.options.slot_extensions.id(ExtensionType::DependencyDescriptor));
  }
  // That what came is one stream, and each frame came with all that it is predicted from.
  void check_stream() const {
    std::set<uint16_t> here;
    std::optional<ReceivedRtp> before;
    for (const ReceivedRtp& packet : pictures()) {
      const LayeredStream::Frame& frame = frame_of(packet);
      for (const uint16_t difference : frame.differences) {
        EXPECT_TRUE(here.contains(static_cast<uint16_t>(frame.number - difference)))
            << "frame " << frame.number << " is predicted from one that did not come";
      }
      here.insert(frame.number);
      if (before) {
        EXPECT_EQ(packet.header.sequence, static_cast<uint16_t>(before->header.sequence + 1));
        const bool same = frame.picture == frame_of(*before).picture;
        EXPECT_EQ(packet.header.timestamp == before->header.timestamp, same);
        EXPECT_EQ(before->header.marker, !same) << "the end of a picture, whatever was left out of it";
      }
      before = packet;
    }
  }

  TestClient& receiver = join(2);
  TestClient& sender = join(1);
  LayeredStream encoder{GetParam(), 3, 3, 65'000};
  std::map<uint16_t, LayeredStream::Frame> frames;
  uint16_t next_sequence = 65'400;
  size_t asked = 0;  // key frames
};

INSTANTIATE_TEST_SUITE_P(Kinds, Svc, ::testing::Values(Spatial::Full, Spatial::KeyPicturesOnly),
                         [](const auto& row) { return row.param == Spatial::Full ? "Full" : "Key"; });

TEST_P(Svc, GivesAllLayersWhereThereIsRoom) {
  stream(6s);
  EXPECT_EQ(best_of(12), 2);
  check_stream();
}

TEST_P(Svc, TakesLayersAwayAndGivesThemBackWithoutAGap) {
  stream(6s);
  for (const int height : {180, 720, 360, 720}) {
    wish(height);
    stream(8s);
    EXPECT_EQ(best_of(12), height == 180 ? 0 : height == 360 ? 1 : 2) << height;
  }
  check_stream();
}

TEST_P(Svc, SaysWhichLayersThereAre) {
  constexpr uint16_t Lowest = 0x007, Upper = 0x770, All = Lowest | Upper;  // three frame rates of each
  stream(6s);
  const uint16_t largest = GetParam() == Spatial::Full ? All : 0x700;
  EXPECT_EQ(layers_told(), largest);
  wish(180);
  stream(2s);
  EXPECT_EQ(layers_told(), Lowest);
  wish(720);
  stream(8s);
  EXPECT_EQ(layers_told(), largest);
}

// Layers that do not build on each other are not sent together: there is nothing of the lower one to go on from.
TEST_P(Svc, AsksForAKeyFrameOnlyWhereTheLowerLayerDidNotComeAnyway) {
  stream(6s);
  const size_t before = asked;
  wish(180);
  stream(2s);
  EXPECT_EQ(best_of(12), 0);
  EXPECT_EQ(asked - before, GetParam() == Spatial::Full ? 0u : 1u);
}

// What is missing of the pictures that are shown now would keep browsers from decoding the lower layers of the next.
TEST_P(Svc, BeginsAnewWhereLayersAreTakenAwayInTheMidstOfLosses) {
  stream(6s);
  const size_t before = asked;
  nack(receiver, receiver.ssrc(0x20), {pictures().back().header.sequence});
  wish(180);
  stream(1s);
  EXPECT_EQ(asked, before + 1);
  const auto seen = pictures();
  EXPECT_TRUE(std::ranges::any_of(seen.end() - 60, seen.end(), [&](const auto& p) { return frame_of(p).key_picture; }));
  EXPECT_EQ(best_of(12), 0);
}

TEST_P(Svc, ResendsNothingOfALayerThatIsNotGivenAnyMore) {
  stream(6s);
  const ReceivedRtp upper = pictures().back();
  ASSERT_EQ(frame_of(upper).layer.spatial, 2);
  nack(receiver, receiver.ssrc(0x20), {upper.header.sequence});
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x30)), SizeIs(1));
  forget_received();
  wish(180);
  stream(2s);
  nack(receiver, receiver.ssrc(0x20), {upper.header.sequence});
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x30)), IsEmpty());
  EXPECT_EQ(drops(Drop::ResendUnneeded), 1u);
}

}  // namespace
}  // namespace viaduct::testing
