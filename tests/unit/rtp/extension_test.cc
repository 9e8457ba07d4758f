#include "protocol/rtp/extension.h"

#include <gtest/gtest.h>

#include <set>

namespace viaduct::rtp {
namespace {

TEST(ExtensionUris, NameEachMeaningOnce) {
  std::set<std::string_view> uris;
  for (int i = 0; i < ExtensionTypes; ++i) {
    const auto type = static_cast<ExtensionType>(i);
    EXPECT_EQ(extension_from_uri(uri_of(type)), type);
    uris.insert(uri_of(type));
  }
  EXPECT_EQ(uris.size(), static_cast<size_t>(ExtensionTypes));
}

TEST(ExtensionUris, AreThoseOfTheRegistries) {
  EXPECT_EQ(extension_from_uri("urn:ietf:params:rtp-hdrext:ssrc-audio-level"), ExtensionType::AudioLevel);
  EXPECT_EQ(extension_from_uri("urn:ietf:params:rtp-hdrext:sdes:mid"), ExtensionType::Mid);
  EXPECT_EQ(extension_from_uri("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"), ExtensionType::Rid);
  EXPECT_EQ(extension_from_uri("urn:3gpp:video-orientation"), ExtensionType::VideoOrientation);
  EXPECT_FALSE(extension_from_uri("urn:ietf:params:rtp-hdrext:toffset"));
  EXPECT_FALSE(extension_from_uri(""));
}

TEST(ExtensionMap, KeepsOneIdentifierForEachMeaning) {
  ExtensionMap map;
  map.set(ExtensionType::Mid, 4);
  map.set(ExtensionType::AudioLevel, 4);
  map.set(ExtensionType::Rid, 0);
  map.set(ExtensionType::Rid, 15);
  EXPECT_FALSE(map.has(ExtensionType::Mid));
  EXPECT_FALSE(map.has(ExtensionType::Rid));
  EXPECT_EQ(map.id(ExtensionType::AudioLevel), 4);
  EXPECT_EQ(map.type(4), ExtensionType::AudioLevel);
  EXPECT_FALSE(map.type(0));
}

}  // namespace
}  // namespace viaduct::rtp
