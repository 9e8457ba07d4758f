#include "protocol/rtp/dependency_descriptor.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"
#include "tests/support/layered_stream.h"

namespace viaduct::rtp {
namespace {

using testing::DescriptorFields;
using testing::ExactBytes;
using testing::FrameStructure;
using testing::from_hex;
using testing::LayeredStream;
using testing::Spatial;
using testing::write_descriptor;

TEST(DependencyDescriptor, ReadsTheMandatoryFields) {
  const auto d = parse_dependency_descriptor(from_hex("a5beef"));
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->start_of_frame);
  EXPECT_FALSE(d->end_of_frame);
  EXPECT_EQ(d->template_id, 0x25);
  EXPECT_EQ(d->frame_number, 0xbeef);
  EXPECT_FALSE(d->structure_present);
  EXPECT_TRUE(parse_dependency_descriptor(from_hex("7f0000"))->end_of_frame);
}

TEST(DependencyDescriptor, BeginsAKeyFrameWhereAStructureComesWithTheStartOfAFrame) {
  EXPECT_TRUE(parse_dependency_descriptor(from_hex("80000180"))->begins_key_frame());
  EXPECT_TRUE(parse_dependency_descriptor(from_hex("c0000180031485214eaaaaa863041410c0"))->begins_key_frame());
  EXPECT_FALSE(parse_dependency_descriptor(from_hex("00000180"))->begins_key_frame()) << "not the start";
  EXPECT_FALSE(parse_dependency_descriptor(from_hex("8000017f"))->begins_key_frame()) << "other flags";
  EXPECT_FALSE(parse_dependency_descriptor(from_hex("800001"))->begins_key_frame()) << "nothing extended";
}

TEST(DependencyDescriptor, IsNothingWhenCutShort) {
  for (const char* cut : {"", "80", "8000"}) EXPECT_FALSE(parse_dependency_descriptor(from_hex(cut))) << cut;
}

TEST(DependencyDescriptor, ChangesNothingButTheFrameNumber) {
  auto bytes = from_hex("c1000180031485214eaaaaa863041410c0");
  write_frame_number(bytes, 0xffff);
  EXPECT_EQ(testing::to_hex(bytes), "c1ffff80031485214eaaaaa863041410c0");
}

// The frame's indications for each layer, "-DSR", lowest first; spatial layers are set apart.
std::string indications(const FrameInfo& frame, uint8_t spatial, uint8_t temporal) {
  std::string text;
  for (uint8_t s = 0; s < spatial; ++s) {
    if (s > 0) text += ' ';
    for (uint8_t t = 0; t < temporal; ++t) text += "-DSR"[static_cast<size_t>(frame.indication({s, t}))];
  }
  return text;
}

uint16_t layer_mask(const std::vector<LayerId>& layers) {
  uint16_t mask = 0;
  for (const LayerId l : layers) mask |= static_cast<uint16_t>(1u << l.index());
  return mask;
}

// One spatial layer and two temporal ones, with a chain, and a size.
FrameStructure small_structure() {
  return {.id_offset = 62,
          .templates = {{{0, 0}, "SS", {}, {0}}, {{0, 0}, "SS", {2}, {2}}, {{0, 1}, "-D", {1}, {1}}},
          .chain_of_target = {0, 0},
          .sizes = {{640, 360}}};
}

TEST(DependencyReader, ReadsAKeyFrameWithItsStructure) {
  DependencyReader reader;
  const auto frame = reader.read(write_descriptor(small_structure(), {.number = 7, .with_structure = true}));
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->starts_frame);
  EXPECT_TRUE(frame->ends_frame);
  EXPECT_TRUE(frame->key_frame);
  EXPECT_FALSE(frame->unmarked);
  EXPECT_EQ(frame->layer, (LayerId{0, 0}));
  EXPECT_EQ(frame->number, 7);
  EXPECT_EQ(frame->prediction, Prediction::Nothing);
  EXPECT_EQ(frame->layers, layer_mask({{0, 0}, {0, 1}}));
  EXPECT_EQ(indications(*frame, 1, 2), "SS");
  ASSERT_EQ(reader.sizes().size(), 1u);
  EXPECT_EQ(reader.sizes()[0], (PictureSize{640, 360}));
}

TEST(DependencyReader, ReadsLaterFramesByTheirTemplates) {
  DependencyReader reader;
  const FrameStructure s = small_structure();
  ASSERT_TRUE(reader.read(write_descriptor(s, {.number = 7, .with_structure = true})));
  const auto upper = reader.read(write_descriptor(s, {.ends_frame = false, .template_index = 2, .number = 8}));
  ASSERT_TRUE(upper);
  EXPECT_FALSE(upper->ends_frame);
  EXPECT_FALSE(upper->key_frame);
  EXPECT_EQ(upper->layer, (LayerId{0, 1}));
  EXPECT_EQ(upper->prediction, Prediction::NumberedFrames);
  EXPECT_EQ(upper->needs, 1u) << "the frame before";
  EXPECT_EQ(indications(*upper, 1, 2), "-D");
  const auto lower = reader.read(write_descriptor(s, {.template_index = 1, .number = 9}));
  EXPECT_EQ(lower->needs, 2u) << "the one before that";
  EXPECT_EQ(indications(*lower, 1, 2), "SS");
}

TEST(DependencyReader, TakesWhatAFrameSaysOfItselfOverItsTemplate) {
  DependencyReader reader;
  const FrameStructure s = small_structure();
  ASSERT_TRUE(reader.read(write_descriptor(s, {.number = 7, .with_structure = true})));
  const auto frame = reader.read(write_descriptor(s, {.template_index = 2,
                                                      .number = 8,
                                                      .indications = "-S",
                                                      .differences = {{1, 17, 64}},
                                                      .chains = {{200}}}));
  ASSERT_TRUE(frame);
  EXPECT_EQ(indications(*frame, 1, 2), "-S");
  EXPECT_EQ(frame->needs, uint64_t{1} | uint64_t{1} << 16 | uint64_t{1} << 63);
  const auto intra = reader.read(write_descriptor(s, {.template_index = 2, .number = 9, .differences = {{}}}));
  EXPECT_EQ(intra->prediction, Prediction::Nothing);
  EXPECT_FALSE(intra->key_frame) << "it brings no structure";
  const auto far = reader.read(write_descriptor(s, {.template_index = 2, .number = 10, .differences = {{1, 65}}}));
  EXPECT_EQ(far->prediction, Prediction::Unknown) << "further back than can be said";
}

TEST(DependencyReader, IsNoKeyFrameWhenARepeatedStructureComesWithAPredictedFrame) {
  DependencyReader reader;
  const auto frame =
      reader.read(write_descriptor(small_structure(), {.template_index = 1, .number = 7, .with_structure = true}));
  ASSERT_TRUE(frame);
  EXPECT_FALSE(frame->key_frame);
}

TEST(DependencyReader, KnowsTheLayersThatAreActive) {
  DependencyReader reader;
  const FrameStructure s = small_structure();
  const uint16_t both = layer_mask({{0, 0}, {0, 1}}), lowest = layer_mask({{0, 0}});
  struct Row {
    DescriptorFields descriptor;
    uint16_t layers;
    const char* what;
  };
  const Row rows[] = {
      {{.number = 7, .with_structure = true, .active_targets = 1}, lowest, "one of them from the start"},
      {{.template_index = 1, .number = 9}, lowest, "as long as nothing else is said"},
      {{.template_index = 1, .number = 11, .active_targets = 3}, both, "both"},
      {{.template_index = 1, .number = 10, .active_targets = 1}, lowest, "a frame that comes late has its own"},
      {{.template_index = 1, .number = 12}, both, "and changes nothing for later ones"},
      {{.number = 20, .with_structure = true}, both, "all of a new structure"},
  };
  for (const Row& row : rows) {
    const auto frame = reader.read(write_descriptor(s, row.descriptor));
    ASSERT_TRUE(frame) << row.what;
    EXPECT_EQ(frame->layers, row.layers) << row.what;
  }
}

TEST(DependencyReader, KnowsNothingWithoutTheStructure) {
  DependencyReader reader;
  const FrameStructure s = small_structure();
  EXPECT_FALSE(reader.read(write_descriptor(s, {.template_index = 1, .number = 8})));
  ASSERT_TRUE(reader.read(write_descriptor(s, {.number = 7, .with_structure = true})));
  EXPECT_TRUE(reader.read(write_descriptor(s, {.template_index = 1, .number = 8})));
  EXPECT_FALSE(reader.read(write_descriptor(s, {.template_index = 3, .number = 8}))) << "there are three templates";
  reader.reset();
  EXPECT_FALSE(reader.read(write_descriptor(s, {.template_index = 1, .number = 8})));
}

TEST(DependencyReader, GoesOnByTheNewStructureWhenAnOldOneComesLate) {
  DependencyReader reader;
  const FrameStructure old = small_structure();
  FrameStructure next = small_structure();
  next.id_offset = 10;
  ASSERT_TRUE(reader.read(write_descriptor(next, {.number = 2, .with_structure = true})));
  EXPECT_TRUE(reader.read(write_descriptor(old, {.number = 65'530, .with_structure = true}))->key_frame);
  EXPECT_TRUE(reader.read(write_descriptor(next, {.template_index = 1, .number = 3})));
  EXPECT_FALSE(reader.read(write_descriptor(old, {.template_index = 1, .number = 4})));
}

TEST(DependencyReader, FindsTheLayerOfEachDecodeTarget) {
  struct Row {
    Spatial kind;
    LayerId layer;
    bool key;
    const char* indications;
  };
  const Row rows[] = {
      {Spatial::Full, {0, 0}, true, "SSS SSS SSS"},
      {Spatial::Full, {0, 0}, false, "SSS RRR RRR"},
      {Spatial::Full, {1, 1}, false, "--- -DS -RR"},
      {Spatial::KeyPicturesOnly, {0, 0}, true, "SSS SSS SSS"},
      {Spatial::KeyPicturesOnly, {0, 2}, false, "--D --- ---"},
      {Spatial::Independent, {1, 0}, true, "--- SSS ---"},
      {Spatial::Independent, {2, 2}, false, "--- --- --D"},
  };
  for (const Row& row : rows) {
    LayeredStream stream(row.kind, 3, 3);
    DependencyReader reader;
    int found = 0;
    for (int picture = 0; picture < 12; ++picture) {
      for (const auto& f : stream.next(picture == 0)) {
        const auto frame = reader.read(stream.descriptor(f, true, true));
        ASSERT_TRUE(frame);
        EXPECT_EQ(frame->layer, f.layer);
        EXPECT_EQ(frame->layers, 0x0777);
        EXPECT_EQ(frame->key_frame, f.key_picture && f.layer.spatial == 0);
        if (f.layer != row.layer || f.key_picture != row.key) continue;
        ++found;
        EXPECT_EQ(indications(*frame, 3, 3), row.indications);
      }
    }
    EXPECT_GT(found, 0);
    EXPECT_EQ(reader.sizes().size(), 3u);
    EXPECT_EQ(reader.sizes()[2], (PictureSize{1280, 720}));
  }
}

TEST(DependencyReader, CountsTemporalLayersAboveTheFourthAsTheFourth) {
  FrameStructure s;
  for (uint8_t t = 0; t < 6; ++t) s.templates.push_back({{0, t}, std::string(t, '-') + std::string(6u - t, 'R'), {}});
  DependencyReader reader;
  const auto key = reader.read(write_descriptor(s, {.number = 1, .with_structure = true}));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->layers, 0x000f);
  const auto sixth = reader.read(write_descriptor(s, {.template_index = 5, .number = 2}));
  EXPECT_EQ(sixth->layer, (LayerId{0, 3}));
  EXPECT_EQ(indications(*sixth, 1, 4), "---R") << "the fourth layer is that of the highest target";
}

TEST(DependencyReader, RefusesMoreLayersThanThereCanBe) {
  FrameStructure spatial, temporal;
  for (uint8_t i = 0; i < 5; ++i) spatial.templates.push_back({{i, 0}, "R", {}});
  for (uint8_t i = 0; i < 9; ++i) temporal.templates.push_back({{0, i}, "R", {}});
  for (const FrameStructure& s : {spatial, temporal}) {
    EXPECT_FALSE(DependencyReader().read(write_descriptor(s, {.with_structure = true})));
  }
}

// Two key frames of Chromium's AV1 in L1T2 and a frame of the second temporal layer.
TEST(DependencyReader, ReadsWhatABrowserSends) {
  DependencyReader reader;
  const auto first = reader.read(from_hex("80 0001 80 01 1e a8 51 41 01 0c 04 fc 03 bc"));
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->key_frame);
  EXPECT_EQ(first->layers, 0x0003);
  EXPECT_EQ(indications(*first, 1, 2), "SS");
  ASSERT_EQ(reader.sizes().size(), 1u);
  EXPECT_EQ(reader.sizes()[0], (PictureSize{320, 240}));

  EXPECT_FALSE(reader.read(from_hex("08 00d8"))) << "of the structure that comes next";
  ASSERT_TRUE(reader.read(from_hex("86 00b5 80 c1 1e a8 51 41 01 0c 09 fc 07 7c")));
  EXPECT_EQ(reader.sizes()[0], (PictureSize{640, 480}));
  const auto upper = reader.read(from_hex("08 00d8"));
  ASSERT_TRUE(upper);
  EXPECT_FALSE(upper->starts_frame);
  EXPECT_EQ(upper->layer, (LayerId{0, 1}));
  EXPECT_EQ(indications(*upper, 1, 2), "-D");
  EXPECT_EQ(upper->needs, 1u);
}

TEST(DependencyReader, RejectsADescriptorCutAnywhere) {
  const FrameStructure s = small_structure();
  const auto whole = write_descriptor(s, {.number = 7, .with_structure = true, .active_targets = 3,
                                          .indications = "SS", .differences = {{}}, .chains = {{9}}});
  for (size_t size = 0; size + 1 < whole.size(); ++size) {
    if (size == MandatoryDescriptorBytes) continue;
    DependencyReader reader;
    EXPECT_FALSE(reader.read(ExactBytes(Bytes(whole).first(size)))) << size;
    EXPECT_TRUE(reader.sizes().empty()) << "what was cut changes nothing";
  }
  EXPECT_TRUE(DependencyReader().read(ExactBytes(whole)));
}

TEST(DependencyReader, SurvivesRandomBits) {
  SeededRandom random(74);
  const FrameStructure s = small_structure();
  int read = 0;
  for (int i = 0; i < 100'000; ++i) {
    DependencyReader reader;
    auto bytes = write_descriptor(s, {.number = 7, .with_structure = true});
    if (i % 2 == 0) {
      bytes.resize(3 + random.below(60));
      random.fill(bytes);
    } else {
      bytes[3 + random.below(bytes.size() - 3)] ^= static_cast<uint8_t>(1 << random.below(8));
    }
    if (!reader.read(ExactBytes(bytes))) continue;
    ++read;
    EXPECT_LE(reader.sizes().size(), SpatialLayers);
  }
  EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace viaduct::rtp
