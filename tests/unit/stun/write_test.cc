#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "limits.h"
#include "protocol/stun/message_writer.h"
#include "protocol/stun/stun.h"
#include "protocol/stun/wire.h"
#include "tests/unit/stun/vectors.h"

namespace viaduct::stun {
namespace {

constexpr TransactionId Transaction{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const SocketAddress V4{*IpAddress::parse("192.0.2.1"), 32853};
const SocketAddress V6{*IpAddress::parse("2001:db8::1"), 443};

const BindingRequest Check{.transaction = Transaction,
                           .username = "brdg:peer",
                           .password = "password",
                           .priority = 0x6e0001ff,
                           .controlling = 0x932ff9b151263b36,
                           .controlled = std::nullopt,
                           .use_candidate = true};

template <typename Write>
std::vector<uint8_t> written(Write&& write) {
  std::vector<uint8_t> out(limits::MaxPacketBytes);
  out.resize(write(MutableBytes(out)));
  return out;
}

TEST(StunWrite, MakesTheMessagesOfRfc5769ButForTheirPadding) {
  // The padding of the RFC's sample responses is 0x20; a message whose attributes need none is equal byte for byte.
  std::vector<uint8_t> out(200);
  const auto expected = vectors::from_hex(vectors::Ipv6Response);
  MessageWriter message(out, MessageClass::Success, BindingMethod, parse_message(expected)->transaction);
  message.attribute(0x8022, as_bytes("test vector"));
  out[HeaderBytes + AttributeHeaderBytes + 11] = 0x20;
  message.xor_mapped_address({*IpAddress::parse("2001:db8:1234:5678:11:2233:4455:6677"), 32853});
  message.message_integrity(vectors::Password);
  message.fingerprint();
  out.resize(message.finish());
  EXPECT_EQ(out, expected);
}

TEST(StunWrite, ARequestReadsBackAsItWasMeant) {
  const auto bytes = written([](MutableBytes out) { return write_binding_request(out, Check); });
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, MessageClass::Request);
  EXPECT_EQ(message->transaction, Transaction);
  EXPECT_EQ(message->username, "brdg:peer");
  EXPECT_EQ(message->priority, 0x6e0001ffu);
  EXPECT_EQ(message->controlling, 0x932ff9b151263b36u);
  EXPECT_FALSE(message->controlled);
  EXPECT_TRUE(message->use_candidate);
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_TRUE(integrity_ok(*message, "password"));
}

TEST(StunWrite, ASuccessIsTheSmallestThatIceAccepts) {
  for (const auto& [mapped, fingerprint, size] :
       {std::tuple{V4, true, 64u}, {V4, false, 56u}, {V6, true, 76u}, {V6, false, 68u}}) {
    const BindingSuccess fields{
        .transaction = Transaction, .mapped = mapped, .password = "password", .fingerprint = fingerprint};
    const auto bytes = written([&](MutableBytes out) { return write_binding_success(out, fields); });
    EXPECT_EQ(bytes.size(), size);
    const auto message = parse_message(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->message_class, MessageClass::Success);
    EXPECT_EQ(message->mapped, mapped);
    EXPECT_EQ(message->has_fingerprint, fingerprint);
    EXPECT_TRUE(integrity_ok(*message, "password"));
  }
}

TEST(StunWrite, AnErrorCarriesItsCodeAndTheUnknownTypes) {
  const std::array<uint16_t, 3> unknown{0x7001, 0x7002, 0x7003};
  const auto bytes = written([&](MutableBytes out) {
    return write_binding_error(
        out, {.transaction = Transaction, .code = UnknownAttribute, .unknown = unknown, .password = "password"});
  });
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, MessageClass::Error);
  EXPECT_EQ(message->error_code, UnknownAttribute);
  EXPECT_TRUE(integrity_ok(*message, "password"));
  const auto types = vectors::from_hex("000a0006700170027003");
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin() + 28, bytes.begin() + 38), types);
}

TEST(StunWrite, KnowsEveryErrorCodeThatItMaySend) {
  for (const uint16_t code : {BadRequest, Unauthenticated, UnknownAttribute, RoleConflict}) {
    const auto bytes = written([&](MutableBytes out) {
      return write_binding_error(
          out, {.transaction = Transaction, .code = code, .unknown = {}, .password = "password"});
    });
    EXPECT_EQ(parse_message(bytes)->error_code, code);
    EXPECT_EQ(bytes.size(), 60u);
  }
}

TEST(StunWrite, BoundsTheListOfUnknownTypes) {
  const std::vector<uint16_t> unknown(100, 0x7001);
  const auto bytes = written([&](MutableBytes out) {
    return write_binding_error(
        out, {.transaction = Transaction, .code = UnknownAttribute, .unknown = unknown, .password = "password"});
  });
  EXPECT_EQ(bytes.size(), 60 + AttributeHeaderBytes + 2 * MaxUnknownAttributes);
}

TEST(StunWrite, WritesNothingThatDoesNotFit) {
  const auto whole = written([](MutableBytes out) { return write_binding_request(out, Check); });
  for (size_t size = 0; size < whole.size(); ++size) {
    std::vector<uint8_t> out(size);
    EXPECT_EQ(write_binding_request(out, Check), 0u) << size;
    EXPECT_EQ(write_binding_error(std::span(out).first(std::min<size_t>(size, 59)),
                                  {.transaction = Transaction, .unknown = {}, .password = "p"}),
              0u);
    EXPECT_EQ(write_binding_success(std::span(out).first(std::min<size_t>(size, 63)),
                                    {.transaction = Transaction, .mapped = V4, .password = "p"}),
              0u);
  }
  std::vector<uint8_t> out(whole.size());
  EXPECT_EQ(write_binding_request(out, Check), whole.size());
}

TEST(StunWrite, RefusesAMessageThatItsLengthFieldCannotSay) {
  std::vector<uint8_t> out(140'000);
  MessageWriter message(out, MessageClass::Request, BindingMethod, Transaction);
  message.attribute(0x8022, std::vector<uint8_t>(65'532));
  EXPECT_EQ(message.finish(), 0u);
}

}  // namespace
}  // namespace viaduct::stun
