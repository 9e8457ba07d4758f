#include "dpdk/steering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "dpdk/ip/classify.h"
#include "dpdk/port.h"
#include "tests/support/frames/frames.h"

namespace viaduct::dpdk {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Octets;
using testing::ReadFrame;

ip::Interface with_addresses(std::initializer_list<const char*> addresses) {
  ip::Interface interface { .first_media_port = 10'000, .media_ports = 4 };
  for (const char* address : addresses) interface.addresses.push_back(*InterfaceAddress::parse(address));
  return interface;
}

// A network card with room for so many rules.
class SmallCard final : public FlowTable {
 public:
  explicit SmallCard(size_t room) : room_(room) {}
  Result<void> add(const SteeringRule& rule) override {
    if (rules.size() == room_) return Error{ErrorCode::ResourceExhausted, "the table is full"};
    rules.push_back(rule);
    return {};
  }
  void remove_all() override { rules.clear(); }

  std::vector<SteeringRule> rules;

 private:
  const size_t room_;
};

TEST(SteeringTest, HasARuleForEachMediaPortAndFamily) {
  EXPECT_THAT(steering_rules(with_addresses({"192.0.2.1/24", "2001:db8::1/64"}), 0, 2),
              ElementsAre(SteeringRule{false, 10'000, 0}, SteeringRule{true, 10'000, 0}, SteeringRule{false, 10'001, 1},
                          SteeringRule{true, 10'001, 1}));
  EXPECT_THAT(steering_rules(with_addresses({"192.0.2.1/24", "192.0.2.2/24"}), 0, 1),
              ElementsAre(SteeringRule{false, 10'000, 0}))
      << "not one for each address: a card looks at the UDP port alone";
}

TEST(SteeringTest, CountsTheQueuesOfALaterPortFromItsOwnFirstOne) {
  EXPECT_THAT(steering_rules(with_addresses({"192.0.2.1/24"}), 2, 2),
              ElementsAre(SteeringRule{false, 10'002, 0}, SteeringRule{false, 10'003, 1}));
}

TEST(SteeringTest, InstallsAllRulesOrNone) {
  const auto rules = steering_rules(with_addresses({"192.0.2.1/24"}), 0, 4);
  SmallCard enough(4);
  EXPECT_TRUE(install(rules, enough));
  EXPECT_EQ(enough.rules, rules);

  SmallCard full(3);
  const auto installed = install(rules, full);
  ASSERT_FALSE(installed);
  EXPECT_EQ(installed.error().text, "the table is full");
  EXPECT_THAT(full.rules, IsEmpty());
}

// A network card that does what the rules say: it looks at the family and the UDP port of what is no fragment, and
// gives all else to its first queue.
class Card final : public FlowTable {
 public:
  Result<void> add(const SteeringRule& rule) override {
    rules_.push_back(rule);
    return {};
  }
  void remove_all() override { rules_.clear(); }

  std::optional<uint16_t> rule_for(const ReadFrame& frame) const {
    if (frame.protocol != Udp || (frame.fragment & 0x3fff) != 0) return std::nullopt;
    for (const SteeringRule& rule : rules_) {
      if (rule.v6 == frame.to.is_v6() && rule.udp_port == frame.to_port) return rule.queue;
    }
    return std::nullopt;
  }

  static constexpr uint8_t Udp = 17;

 private:
  std::vector<SteeringRule> rules_;
};

// Frames of all kinds that a card and the workers have to agree about.
std::vector<Octets> frames_to(const ip::Interface& interface) {
  std::vector<Octets> frames;
  for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
    const bool v6 = at(address, 1).ip.is_v6();
    const SocketAddress peer = v6 ? at("2001:db8:7::7", 5000) : at("198.51.100.7", 5000);
    for (int port = interface.first_media_port - 2; port < interface.first_media_port + 6; ++port) {
      testing::IpFrame frame =
          testing::udp_frame(peer, at(address, static_cast<uint16_t>(port)), testing::octets("media"));
      frames.push_back(frame.build());
      frame.protocol = 6;  // the same bytes as TCP
      frames.push_back(frame.build());
    }
    frames.push_back(
        testing::icmp_frame(peer.ip, at(address, 1).ip, v6 ? 128 : 8, 0, 7, testing::octets("ping")).build());
  }
  return frames;
}

TEST(SteeringTest, ByACardAndByTheWorkersIsTheSame) {
  const ip::Interface interface = with_addresses({"192.0.2.1/24", "2001:db8::1/64"});
  Card card;
  ASSERT_TRUE(install(steering_rules(interface, 0, interface.media_ports), card));
  size_t steered = 0;
  for (const Octets& bytes : frames_to(interface)) {
    const auto read = testing::read_frame(bytes);
    const std::optional<uint16_t> by_card = read.frame ? card.rule_for(*read.frame) : std::nullopt;
    const ip::Destination by_worker = ip::classify(bytes, interface);
    EXPECT_EQ(by_card.has_value(), by_worker.target == ip::Target::Worker) << read.why;
    if (!by_card) continue;
    EXPECT_EQ(*by_card, by_worker.worker);
    ++steered;
  }
  EXPECT_EQ(steered, 2u * 4) << "four ports of each family";
}

TEST(PortDescriptionTest, IsANameAndArguments) {
  const std::string spec = "net_af_packet0,iface=eth1,qpairs=2";
  EXPECT_EQ(device_name(spec), "net_af_packet0");
  EXPECT_EQ(device_argument(spec, "iface"), "eth1");
  EXPECT_EQ(device_argument(spec, "qpairs"), "2");
  EXPECT_EQ(device_argument(spec, "face"), "") << "part of another argument's name";
  EXPECT_EQ(device_name("0000:3b:00.0"), "0000:3b:00.0");
  EXPECT_EQ(device_argument("0000:3b:00.0", "iface"), "");
}

}  // namespace
}  // namespace viaduct::dpdk
