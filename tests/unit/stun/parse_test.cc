#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/random.h"
#include "protocol/stun/digests.h"
#include "protocol/stun/message_writer.h"
#include "protocol/stun/stun.h"
#include "protocol/stun/wire.h"
#include "tests/unit/stun/vectors.h"

namespace viaduct::stun {
namespace {

constexpr TransactionId Transaction{0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

// A binding request of the attributes that `write` adds, in a buffer of its exact size so that a read past the end is
// seen.
template <typename Write>
std::vector<uint8_t> request_with(Write&& write) {
  std::vector<uint8_t> buffer(70'000);
  MessageWriter message(buffer, MessageClass::Request, BindingMethod, Transaction);
  write(message);
  const size_t size = message.finish();
  return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)};
}

// Sets the header's length to that of the datagram.
std::vector<uint8_t> with_true_length(std::vector<uint8_t> datagram) {
  store_be16(&datagram[2], static_cast<uint16_t>(datagram.size() - HeaderBytes));
  return datagram;
}

TEST(StunParse, ReadsTheRequestOfRfc5769) {
  const auto bytes = vectors::from_hex(vectors::Request);
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, MessageClass::Request);
  EXPECT_EQ(message->method, BindingMethod);
  EXPECT_EQ(message->transaction, Transaction);
  EXPECT_EQ(message->username, "evtj:h6vY");
  EXPECT_EQ(message->priority, 0x6e0001ffu);
  EXPECT_EQ(message->controlled, 0x932ff9b151263b36u);
  EXPECT_FALSE(message->controlling);
  EXPECT_FALSE(message->use_candidate);
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_EQ(message->unknown_count, 0u);
  EXPECT_TRUE(integrity_ok(*message, vectors::Password));
}

TEST(StunParse, ReadsTheIpv4ResponseOfRfc5769) {
  const auto bytes = vectors::from_hex(vectors::Ipv4Response);
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, MessageClass::Success);
  ASSERT_TRUE(message->mapped);
  EXPECT_EQ(message->mapped->to_string(), "192.0.2.1:32853");
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_TRUE(integrity_ok(*message, vectors::Password));
}

TEST(StunParse, ReadsTheIpv6ResponseOfRfc5769) {
  const auto bytes = vectors::from_hex(vectors::Ipv6Response);
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  ASSERT_TRUE(message->mapped);
  EXPECT_EQ(message->mapped->to_string(), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
  EXPECT_TRUE(integrity_ok(*message, vectors::Password));
}

TEST(StunParse, ReadsTheLongTermRequestOfRfc5769ButDoesNotTakeItsPasswordForAKey) {
  const auto bytes = vectors::from_hex(vectors::LongTermRequest);
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->username->size(), 18u);
  EXPECT_FALSE(message->has_fingerprint);
  EXPECT_EQ(message->unknown_count, 0u);
  EXPECT_FALSE(integrity_ok(*message, "TheMatrIX"));
}

TEST(StunParse, RejectsAMessageWithAWrongIntegrity) {
  for (const std::string_view hex : {vectors::Request, vectors::Ipv4Response, vectors::Ipv6Response}) {
    const auto bytes = vectors::from_hex(hex);
    const auto message = parse_message(bytes);
    ASSERT_TRUE(message);
    EXPECT_FALSE(integrity_ok(*message, "VOkJxbRl1RmTxUk/WvJxBT"));
    EXPECT_FALSE(integrity_ok(*message, ""));
  }
}

TEST(StunParse, NoticesEveryFlippedBitByTheFingerprint) {
  const auto original = vectors::from_hex(vectors::Request);
  for (size_t bit = 0; bit < original.size() * 8; ++bit) {
    auto bytes = original;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    const auto message = parse_message(bytes);
    // A flipped type or length can hide the fingerprint, but then no message that parses has one.
    EXPECT_FALSE(message && message->has_fingerprint) << "bit " << bit;
  }
}

TEST(StunParse, NoticesEveryFlippedBitByTheIntegrity) {
  const auto original = request_with([](MessageWriter& m) {
    m.attribute(attribute::Username, as_bytes("evtj:h6vY"));
    m.attribute(attribute::Priority, uint32_t{0x6e0001ff});
    m.message_integrity(vectors::Password);
  });
  ASSERT_TRUE(integrity_ok(*parse_message(original), vectors::Password));
  for (size_t bit = 0; bit < original.size() * 8; ++bit) {
    auto bytes = original;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    const auto message = parse_message(bytes);
    EXPECT_FALSE(message && integrity_ok(*message, vectors::Password)) << "bit " << bit;
  }
}

TEST(StunParse, RejectsEveryTruncation) {
  for (const std::string_view hex :
       {vectors::Request, vectors::Ipv4Response, vectors::Ipv6Response, vectors::LongTermRequest}) {
    const auto whole = vectors::from_hex(hex);
    for (size_t size = 0; size < whole.size(); ++size) {
      const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(looks_like_stun(cut)) << size;
      EXPECT_FALSE(parse_message(cut)) << size;
    }
  }
}

TEST(StunParse, TakesATruncationWithATrueLengthOnlyAtTheBorderOfAnAttribute) {
  const auto whole = vectors::from_hex(vectors::Request);
  const std::vector<size_t> borders{20, 40, 48, 60, 76, 100, 108};
  for (size_t size = HeaderBytes; size < whole.size(); ++size) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto message = parse_message(with_true_length(cut));
    EXPECT_EQ(message.has_value(), std::ranges::find(borders, size) != borders.end()) << size;
    if (message && size < 100) {
      EXPECT_FALSE(integrity_ok(*message, vectors::Password));
    }
  }
}

TEST(StunParse, SurvivesEveryAttributeLength) {
  // S13: one attribute that claims 0 to 65,535 bytes while the datagram holds 4, 8 or 1,480 bytes of it.
  for (const size_t held : {size_t{4}, size_t{8}, size_t{1480}}) {
    std::vector<uint8_t> bytes = request_with([](MessageWriter&) {});
    bytes.resize(HeaderBytes + AttributeHeaderBytes + held);
    bytes = with_true_length(bytes);
    for (const uint16_t type : {attribute::Username, attribute::MessageIntegrity, attribute::XorMappedAddress,
                                attribute::ErrorCode, attribute::Fingerprint, attribute::UseCandidate,
                                uint16_t{0x7777}}) {
      store_be16(&bytes[20], type);
      for (uint32_t claimed = 0; claimed <= 0xffff; claimed += (claimed > 1600 && claimed < 65'500 ? 251 : 1)) {
        store_be16(&bytes[22], static_cast<uint16_t>(claimed));
        const auto message = parse_message(bytes);
        if (padded(claimed) > held) {
          EXPECT_FALSE(message) << type << " " << claimed;
        }
        if (message) {
          EXPECT_FALSE(integrity_ok(*message, "x"));
        }
      }
    }
  }
}

TEST(StunParse, TakesOddlyAlignedAttributes) {
  for (size_t length = 0; length <= 9; ++length) {
    const auto bytes = request_with([&](MessageWriter& m) {
      m.attribute(attribute::Username, as_bytes(std::string(length, 'u')));
      m.attribute(uint16_t{0x8022}, as_bytes(std::string(length, 's')));
      m.attribute(attribute::Priority, uint32_t{7});
      m.message_integrity("password");
    });
    const auto message = parse_message(bytes);
    ASSERT_TRUE(message) << length;
    EXPECT_EQ(message->username, std::string(length, 'u'));
    EXPECT_EQ(message->priority, 7u);
    EXPECT_TRUE(integrity_ok(*message, "password"));
  }
}

TEST(StunParse, TakesAMessageAsLongAsTheLengthFieldCanSay) {
  const std::vector<uint8_t> value(65'528);
  const auto bytes = request_with([&](MessageWriter& m) { m.attribute(uint16_t{0x8022}, value); });
  ASSERT_EQ(bytes.size(), 65'552u);
  EXPECT_TRUE(parse_message(bytes));
}

TEST(StunParse, SurvivesRandomBytesBehindAValidHeader) {
  SeededRandom random(13);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<uint8_t> bytes(HeaderBytes + 4 * random.below(60));
    random.fill(bytes);
    bytes[0] &= 3;
    store_be32(&bytes[4], MagicCookie);
    // Lengths that often fit, so that more than the first attribute is reached.
    for (size_t at = HeaderBytes; at + 4 <= bytes.size(); at += 8) store_be16(&bytes[at + 2], 4);
    const auto message = parse_message(with_true_length(bytes));
    if (message) {
      EXPECT_FALSE(integrity_ok(*message, "password"));
    }
  }
}

TEST(StunParse, TellsStunFromEverythingElse) {
  auto bytes = vectors::from_hex(vectors::Request);
  EXPECT_TRUE(looks_like_stun(bytes));
  auto wrong_cookie = bytes;
  wrong_cookie[4] = 0x20;
  EXPECT_FALSE(looks_like_stun(wrong_cookie));
  auto longer = bytes;
  longer.resize(longer.size() + 4);
  EXPECT_FALSE(looks_like_stun(longer));
  for (unsigned first = 4; first <= 255; ++first) {
    bytes[0] = static_cast<uint8_t>(first);
    EXPECT_FALSE(looks_like_stun(bytes)) << first;
  }
}

TEST(StunParse, RejectsALengthThatIsNotAMultipleOfFour) {
  std::vector<uint8_t> bytes = request_with([](MessageWriter&) {});
  for (size_t extra = 1; extra <= 3; ++extra) {
    bytes.resize(HeaderBytes + extra);
    EXPECT_FALSE(looks_like_stun(with_true_length(bytes)));
  }
}

TEST(StunParse, RejectsAWrongFingerprintAndOneThatIsNotLast) {
  auto bytes = request_with([](MessageWriter& m) { m.fingerprint(); });
  ASSERT_TRUE(parse_message(bytes));
  bytes.back() ^= 1;
  EXPECT_FALSE(parse_message(bytes));
  EXPECT_FALSE(parse_message(request_with([](MessageWriter& m) {
    m.fingerprint();
    m.attribute(attribute::Priority, uint32_t{1});
  })));
}

TEST(StunParse, CountsTheFirstOfDuplicates) {
  const auto bytes = request_with([](MessageWriter& m) {
    m.attribute(attribute::Username, as_bytes("first"));
    m.attribute(attribute::Username, as_bytes("second"));
    m.attribute(attribute::Priority, uint32_t{1});
    m.attribute(attribute::Priority, uint32_t{2});
    m.attribute(attribute::IceControlling, uint64_t{3});
    m.attribute(attribute::IceControlling, uint64_t{4});
  });
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->username, "first");
  EXPECT_EQ(message->priority, 1u);
  EXPECT_EQ(message->controlling, 3u);
}

TEST(StunParse, IgnoresWhatStandsBehindTheIntegrity) {
  const auto bytes = request_with([](MessageWriter& m) {
    m.attribute(attribute::Username, as_bytes("a:b"));
    m.message_integrity("password");
    m.attribute(attribute::UseCandidate, Bytes{});
    m.attribute(attribute::Priority, uint32_t{9});
    m.attribute(uint16_t{0x0077}, uint32_t{0});
    m.attribute(attribute::MessageIntegrity, as_bytes("01234567890123456789"));
    m.fingerprint();
  });
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->use_candidate);
  EXPECT_FALSE(message->priority);
  EXPECT_EQ(message->unknown_count, 0u);
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_TRUE(integrity_ok(*message, "password"));
}

TEST(StunParse, RemembersABoundedNumberOfUnknownAttributesThatMustBeUnderstood) {
  const auto bytes = request_with([](MessageWriter& m) {
    m.attribute(uint16_t{0xc057}, uint32_t{0});  // may be ignored
    for (uint16_t i = 0; i < 20; ++i) m.attribute(static_cast<uint16_t>(0x7000 + i), uint32_t{0});
  });
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->unknown_count, 20u);
  ASSERT_EQ(message->unknown_types().size(), MaxUnknownAttributes);
  EXPECT_EQ(message->unknown_types().front(), 0x7000);
  EXPECT_EQ(message->unknown_types().back(), 0x7000 + MaxUnknownAttributes - 1);
}

struct BadValue {
  const char* what;
  uint16_t type;
  std::vector<uint8_t> value;
};

TEST(StunParse, RejectsImpossibleValues) {
  const std::vector<BadValue> rows{
      {"username too long", attribute::Username, std::vector<uint8_t>(MaxUsernameBytes + 1)},
      {"priority of 3 bytes", attribute::Priority, std::vector<uint8_t>(3)},
      {"priority of 5 bytes", attribute::Priority, std::vector<uint8_t>(5)},
      {"use-candidate with a value", attribute::UseCandidate, std::vector<uint8_t>(4)},
      {"tie breaker of 4 bytes", attribute::IceControlling, std::vector<uint8_t>(4)},
      {"tie breaker of 12 bytes", attribute::IceControlled, std::vector<uint8_t>(12)},
      {"integrity of 19 bytes", attribute::MessageIntegrity, std::vector<uint8_t>(19)},
      {"integrity of 32 bytes", attribute::MessageIntegrity, std::vector<uint8_t>(32)},
      {"empty address", attribute::XorMappedAddress, {}},
      {"IPv4 address with the length of IPv6", attribute::XorMappedAddress,
       {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
      {"IPv6 address with the length of IPv4", attribute::XorMappedAddress, {0, 2, 0, 0, 0, 0, 0, 0}},
      {"unknown family", attribute::XorMappedAddress, {0, 3, 0, 0, 0, 0, 0, 0}},
      {"error code of 2 bytes", attribute::ErrorCode, {0, 0}},
      {"error code 200", attribute::ErrorCode, {0, 0, 2, 0}},
      {"error code 4100", attribute::ErrorCode, {0, 0, 4, 100}},
      {"fingerprint of 8 bytes", attribute::Fingerprint, std::vector<uint8_t>(8)},
  };
  for (const BadValue& row : rows) {
    EXPECT_FALSE(parse_message(request_with([&](MessageWriter& m) { m.attribute(row.type, row.value); }))) << row.what;
  }
}

TEST(StunParse, TakesClassAndMethodApart) {
  for (const MessageClass message_class :
       {MessageClass::Request, MessageClass::Indication, MessageClass::Success, MessageClass::Error}) {
    for (uint16_t method = 0; method < 0x1000; ++method) {
      const uint16_t type = message_type(message_class, method);
      ASSERT_LT(type, 0x4000);
      ASSERT_EQ(class_of(type), message_class);
      ASSERT_EQ(method_of(type), method);
    }
  }
}

}  // namespace
}  // namespace viaduct::stun
