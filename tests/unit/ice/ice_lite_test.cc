#include "protocol/ice/ice_lite.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "limits.h"
#include "protocol/stun/message_writer.h"
#include "protocol/stun/wire.h"

namespace viaduct::ice {
namespace {

using Outcome = IceLite::Outcome;
using Refusal = Outcome::Refusal;
namespace attribute = stun::attribute;

const Credentials Bridge{"brdg", "bridge-password-of-22+"};
const Credentials Client{"peer", "client-password-of-22+"};
constexpr Timestamp Start = Timestamp{} + 100s;

SocketAddress v4(uint32_t host, uint16_t port = 4000) { return {IpAddress::v4(0xc0000200u + host), port}; }
const SocketAddress V6{*IpAddress::parse("2001:db8::1"), 443};

// What a client sends; the fields say how it strays from a plain check.
struct Request {
  stun::MessageClass message_class = stun::MessageClass::Request;
  uint16_t method = stun::BindingMethod;
  std::optional<std::string> username = "brdg:peer";
  std::optional<secrecy::SecretString> password = Bridge.password;
  bool controlled = false;
  bool priority = true;
  bool use_candidate = false;
  bool fingerprint = true;
  std::vector<uint16_t> unknown = {};
};

std::vector<uint8_t> bytes_of(const Request& request) {
  std::vector<uint8_t> out(limits::MaxPacketBytes);
  stun::MessageWriter message(out, request.message_class, request.method, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  if (request.username) message.attribute(attribute::Username, as_bytes(*request.username));
  if (request.priority) message.attribute(attribute::Priority, uint32_t{0x6e0001ff});
  if (request.controlled) message.attribute(attribute::IceControlled, uint64_t{1});
  if (request.use_candidate) message.attribute(attribute::UseCandidate, Bytes{});
  for (const uint16_t type : request.unknown) message.attribute(type, Bytes{});
  if (request.password) message.message_integrity(*request.password);
  if (request.fingerprint) message.fingerprint();
  out.resize(message.finish());
  return out;
}

class IceLiteTest : public ::testing::Test {
 protected:
  Outcome send(const Request& request, const SocketAddress& from, Timestamp now = Start) {
    request_ = bytes_of(request);
    const auto message = stun::parse_message(request_);
    EXPECT_TRUE(message);
    const Outcome outcome = agent_.handle(*message, from, now, out_);
    EXPECT_LE(outcome.reply_bytes, request_.size());
    return outcome;
  }
  Outcome check(const SocketAddress& from, Timestamp now = Start) { return send({}, from, now); }
  Outcome nominate(const SocketAddress& from, Timestamp now = Start) {
    return send({.use_candidate = true}, from, now);
  }
  std::optional<stun::MessageView> reply(const Outcome& outcome) const {
    return stun::parse_message(Bytes(out_).first(outcome.reply_bytes));
  }

  IceLite agent_{Bridge, Client, Start};
  std::vector<uint8_t> request_;
  std::array<uint8_t, limits::MaxPacketBytes> out_{};
};

TEST_F(IceLiteTest, AnswersACheckWithTheAddressItCameFrom) {
  for (const SocketAddress& from : {v4(1), V6}) {
    const Outcome outcome = check(from);
    const auto answer = reply(outcome);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->message_class, stun::MessageClass::Success);
    EXPECT_EQ(answer->transaction, stun::parse_message(request_)->transaction);
    EXPECT_EQ(answer->mapped, from);
    EXPECT_TRUE(answer->has_fingerprint);
    EXPECT_TRUE(stun::integrity_ok(*answer, Bridge.password));
  }
}

TEST_F(IceLiteTest, KnowsNobodyBeforeTheFirstCheck) {
  EXPECT_FALSE(agent_.is_validated(v4(1)));
  EXPECT_FALSE(agent_.is_validated({}));
  EXPECT_TRUE(agent_.validated().empty());
  EXPECT_FALSE(agent_.selected());
  EXPECT_FALSE(agent_.destination());
  EXPECT_FALSE(agent_.has_consent(Start));
  EXPECT_EQ(agent_.next_deadline(), Start + limits::ConsentTimeout);
}

TEST_F(IceLiteTest, AnswersNothingThatIsNotAuthenticated) {
  // S12, with what each is refused for.
  const std::vector<std::pair<Request, Refusal>> rows{
      {{.username = std::nullopt}, Refusal::Malformed},
      {{.password = std::nullopt}, Refusal::Malformed},
      {{.username = std::nullopt, .password = std::nullopt}, Refusal::Malformed},
      {{.username = "peer:brdg"}, Refusal::WrongUsername},
      {{.username = "brdg"}, Refusal::WrongUsername},
      {{.username = "brdg:peer2"}, Refusal::WrongUsername},
      {{.username = ""}, Refusal::WrongUsername},
      {{.password = Client.password}, Refusal::WrongIntegrity},
      {{.password = ""}, Refusal::WrongIntegrity},
      {{.password = Client.password, .unknown = {0x7001}}, Refusal::WrongIntegrity},
      {{.password = Client.password, .controlled = true}, Refusal::WrongIntegrity},
      {{.message_class = stun::MessageClass::Success}, Refusal::NotARequest},
      {{.message_class = stun::MessageClass::Error}, Refusal::NotARequest},
      {{.message_class = stun::MessageClass::Indication}, Refusal::NotARequest},
      {{.method = 3}, Refusal::NotARequest},
  };
  for (const auto& [request, refusal] : rows) {
    const Outcome outcome = send(request, v4(1));
    EXPECT_EQ(outcome.reply_bytes, 0u);
    EXPECT_STREQ(to_string(outcome.refusal), to_string(refusal));
    EXPECT_FALSE(outcome.validated);
    EXPECT_FALSE(agent_.is_validated(v4(1)));
    EXPECT_FALSE(agent_.has_consent(Start));
  }
}

TEST_F(IceLiteTest, AnswersAnUnknownAttributeWithItsTypeAndTakesNothingFromTheRequest) {
  const Outcome outcome = send({.use_candidate = true, .unknown = {0x7001}}, v4(1));
  EXPECT_EQ(outcome.refusal, Refusal::UnknownAttribute);
  const auto answer = reply(outcome);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error_code, stun::UnknownAttribute);
  EXPECT_TRUE(stun::integrity_ok(*answer, Bridge.password));
  EXPECT_FALSE(agent_.is_validated(v4(1)));
  EXPECT_FALSE(agent_.selected());
}

TEST_F(IceLiteTest, TellsAClientThatThinksItIsControlledToTakeTheOtherRole) {
  const Outcome outcome = send({.controlled = true, .use_candidate = true}, v4(1));
  EXPECT_EQ(outcome.refusal, Refusal::RoleConflict);
  EXPECT_EQ(reply(outcome)->error_code, stun::RoleConflict);
  EXPECT_FALSE(agent_.is_validated(v4(1)));
}

TEST_F(IceLiteTest, NeverAnswersWithMoreBytesThanTheRequestHad) {
  size_t answered = 0;
  for (const SocketAddress& from : {v4(1), V6}) {
    for (unsigned bits = 0; bits < 8; ++bits) {
      for (size_t unknown = 0; unknown <= 12; ++unknown) {
        const Outcome outcome = send({.controlled = (bits & 1) != 0,
                                      .priority = (bits & 2) != 0,
                                      .fingerprint = (bits & 4) != 0,
                                      .unknown = std::vector<uint16_t>(unknown, 0x7001)},
                                     from);  // send() compares the sizes
        if (outcome.reply_bytes > 0) ++answered;
      }
    }
  }
  // All but the two to IPv6 without PRIORITY and without anything else that would make the request long enough.
  EXPECT_EQ(answered, 2u * 8 * 13 - 2);
}

TEST_F(IceLiteTest, LeavesTheFingerprintOutWhereTheRequestHadNone) {
  EXPECT_FALSE(reply(send({.fingerprint = false}, v4(1)))->has_fingerprint);
}

TEST_F(IceLiteTest, CountsACheckEvenWhenItsReplyDoesNotFit) {
  const auto bytes = bytes_of({});
  const Outcome outcome = agent_.handle(*stun::parse_message(bytes), v4(1), Start, MutableBytes(out_).first(40));
  EXPECT_EQ(outcome.reply_bytes, 0u);
  EXPECT_TRUE(outcome.validated);
}

TEST_F(IceLiteTest, ValidatesAnAddressOnce) {
  EXPECT_TRUE(check(v4(1)).validated);
  EXPECT_FALSE(check(v4(1)).validated);
  EXPECT_TRUE(agent_.is_validated(v4(1)));
  EXPECT_FALSE(agent_.is_validated(v4(1, 4001)));
  EXPECT_EQ(agent_.validated().size(), 1u);
}

TEST_F(IceLiteTest, SendsToTheFirstValidatedAddressUntilOneIsNominated) {
  check(v4(1));
  check(v4(2));
  EXPECT_FALSE(agent_.selected());
  EXPECT_EQ(agent_.destination(), v4(1));
  const Outcome outcome = nominate(v4(2));
  EXPECT_TRUE(outcome.selected);
  EXPECT_FALSE(outcome.validated);
  EXPECT_EQ(agent_.selected(), v4(2));
  EXPECT_EQ(agent_.destination(), v4(2));
}

TEST_F(IceLiteTest, FollowsTheLastNomination) {
  EXPECT_TRUE(nominate(v4(1)).selected);
  EXPECT_FALSE(nominate(v4(1)).selected);
  const Outcome moved = nominate(v4(2, 61'000));  // another network, or a new NAT binding
  EXPECT_TRUE(moved.selected);
  EXPECT_TRUE(moved.validated);
  EXPECT_EQ(agent_.selected(), v4(2, 61'000));
  EXPECT_TRUE(agent_.is_validated(v4(1)));  // late packets from there are still the client's
  EXPECT_TRUE(nominate(v4(1)).selected);
}

TEST_F(IceLiteTest, KeepsTheSelectedAddressWhileItIsMerelyQuiet) {
  nominate(v4(1), Start);
  check(v4(2), Start);
  EXPECT_FALSE(check(v4(2), Start + 6s).selected);  // consent checks come up to 6 s apart
  EXPECT_FALSE(check(v4(1), Start + 6s).selected);
  EXPECT_FALSE(check(v4(2), Start + 6s + SelectedAddressPatience - 1ns).selected);
  EXPECT_EQ(agent_.selected(), v4(1));
}

TEST_F(IceLiteTest, MovesToAnAddressThatStillChecksWhenTheSelectedOneIsSilent) {
  nominate(v4(1), Start);
  check(v4(2), Start + 1s);
  EXPECT_TRUE(check(v4(2), Start + SelectedAddressPatience).selected);
  EXPECT_EQ(agent_.selected(), v4(2));
}

TEST_F(IceLiteTest, DoesNotMoveToANewAddressOnItsFirstCheckAlone) {
  nominate(v4(1), Start);
  const Timestamp later = Start + SelectedAddressPatience + 1s;
  EXPECT_FALSE(check(v4(2), later).selected);
  EXPECT_TRUE(check(v4(2), later + 500ms).selected);
}

TEST_F(IceLiteTest, SelectsNothingByItselfBeforeANomination) {
  check(v4(1), Start);
  check(v4(2), Start);
  check(v4(2), Start + 20s);
  EXPECT_FALSE(agent_.selected());
}

TEST_F(IceLiteTest, EvictsTheAddressThatIsSilentForLongest) {
  for (uint32_t i = 0; i < limits::ValidatedAddressesPerEndpoint; ++i) {
    EXPECT_FALSE(check(v4(i), Start + i * 1s).evicted);
  }
  check(v4(0), Start + 20s);
  const Outcome outcome = check(v4(99), Start + 21s);
  EXPECT_EQ(outcome.evicted, v4(1));
  EXPECT_TRUE(outcome.validated);
  EXPECT_FALSE(agent_.is_validated(v4(1)));
  EXPECT_TRUE(agent_.is_validated(v4(0)));
  EXPECT_TRUE(agent_.is_validated(v4(99)));
  EXPECT_EQ(agent_.destination(), v4(0));
}

TEST_F(IceLiteTest, NeverEvictsTheSelectedAddress) {
  nominate(v4(0), Start);
  std::vector<SocketAddress> evicted;
  for (uint32_t i = 1; i < 100; ++i) {
    const Outcome outcome = check(v4(i), Start + i * 1ms);
    if (outcome.evicted) evicted.push_back(*outcome.evicted);
    ASSERT_LE(agent_.validated().size(), limits::ValidatedAddressesPerEndpoint);
    ASSERT_TRUE(agent_.is_validated(v4(0)));
  }
  ASSERT_EQ(evicted.size(), 100 - limits::ValidatedAddressesPerEndpoint);
  EXPECT_EQ(evicted.front(), v4(1));  // in the order they came
  EXPECT_EQ(evicted.back(), v4(static_cast<uint32_t>(evicted.size())));
}

TEST_F(IceLiteTest, ConsentLastsUntilNoAuthenticatedRequestHasComeForItsTimeout) {
  check(v4(1), Start + 5s);
  EXPECT_EQ(agent_.next_deadline(), Start + 5s + limits::ConsentTimeout);
  EXPECT_TRUE(agent_.has_consent(agent_.next_deadline() - 1ns));
  EXPECT_FALSE(agent_.has_consent(agent_.next_deadline()));

  send({.password = Client.password}, v4(1), Start + 20s);  // renews nothing
  send({.controlled = true}, v4(1), Start + 20s);
  EXPECT_EQ(agent_.next_deadline(), Start + 5s + limits::ConsentTimeout);

  check(v4(1), Start + 20s);
  EXPECT_TRUE(agent_.has_consent(Start + 49s));
  check(v4(1), Start + 80s);  // a client that comes back has it again
  EXPECT_TRUE(agent_.has_consent(Start + 80s));
}

// RFC 8445 section 9.
class RestartedIce : public IceLiteTest {
 protected:
  RestartedIce() {
    nominate(v4(1));
    agent_.restart({"new1", "new-password-of-22-or-more"}, {"per2", "client-password-2-of-22+"}, Restart);
  }
  static Request renewed(bool nominates = false) {
    return {.username = "new1:per2",
            .password = secrecy::SecretString("new-password-of-22-or-more"),
            .use_candidate = nominates};
  }
  static constexpr Timestamp Restart = Start + 10s;
};

TEST_F(RestartedIce, AnswersOldAndNewCredentialsUntilTheNewOnesAreUsed) {
  EXPECT_EQ(check(v4(1), Restart).refusal, Refusal::None);
  EXPECT_EQ(agent_.local_ufrag(), "brdg");
  ASSERT_TRUE(agent_.next_local_ufrag());
  EXPECT_EQ(*agent_.next_local_ufrag(), "new1");

  const Outcome outcome = send(renewed(), v4(2), Restart + 1s);
  EXPECT_EQ(outcome.refusal, Refusal::None);
  EXPECT_EQ(outcome.retired, "brdg");
  const auto answer = reply(outcome);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(stun::integrity_ok(*answer, secrecy::SecretString("new-password-of-22-or-more")));
  EXPECT_EQ(agent_.local_ufrag(), "new1");
  EXPECT_FALSE(agent_.next_local_ufrag());

  EXPECT_EQ(check(v4(1), Restart + 2s).refusal, Refusal::WrongUsername);
  EXPECT_EQ(send(renewed(), v4(2), Restart + 3s).retired, std::nullopt) << "only once";
}

TEST_F(RestartedIce, KeepsTheOldCredentialsWhenTheNewOnesAreNotProved) {
  Request wrong = renewed();
  wrong.password = Bridge.password;
  EXPECT_EQ(send(wrong, v4(2), Restart).refusal, Refusal::WrongIntegrity);
  Request mixed = renewed();
  mixed.username = "new1:peer";
  EXPECT_EQ(send(mixed, v4(2), Restart).refusal, Refusal::WrongUsername);
  EXPECT_EQ(check(v4(1), Restart).refusal, Refusal::None);
}

TEST_F(RestartedIce, SendsToTheOldAddressUntilANewOneIsNominated) {
  send(renewed(), v4(2), Restart - 4s);
  EXPECT_EQ(agent_.destination(), v4(1));
  EXPECT_TRUE(send(renewed(true), v4(2), Restart).selected);
  EXPECT_EQ(agent_.destination(), v4(2));
}

TEST_F(RestartedIce, TakesTheLastOfSeveralRestarts) {
  agent_.restart({"new2", "newer-password-of-22-or-more"}, {"per3", "client-password-3-of-22+"}, Restart);
  EXPECT_EQ(send(renewed(), v4(2), Restart).refusal, Refusal::WrongUsername);
  const Request latest{.username = "new2:per3", .password = secrecy::SecretString("newer-password-of-22-or-more")};
  EXPECT_EQ(send(latest, v4(2), Restart).retired, "brdg");
}

// Nor may a client stay for ever that only restarts.
TEST_F(RestartedIce, GivesTimeToComeBackOnceButNoConsent) {
  EXPECT_EQ(agent_.next_deadline(), Restart + limits::ConsentTimeout);
  EXPECT_TRUE(agent_.has_consent(Start + limits::ConsentTimeout - 1ms));
  EXPECT_FALSE(agent_.has_consent(Start + limits::ConsentTimeout));

  agent_.restart({"new2", "newer-password-of-22-or-more"}, {"per3", "client-password-3-of-22+"}, Restart + 20s);
  EXPECT_EQ(agent_.next_deadline(), Restart + limits::ConsentTimeout);
}

TEST(LocalUfrag, IsWhatStandsBeforeTheColon) {
  EXPECT_EQ(local_ufrag("brdg:peer"), "brdg");
  EXPECT_EQ(local_ufrag("brdg:pe:er"), "brdg");
  EXPECT_EQ(local_ufrag("brdg"), "brdg");
  EXPECT_EQ(local_ufrag(":peer"), "");
  EXPECT_EQ(local_ufrag(""), "");
}

}  // namespace
}  // namespace viaduct::ice
