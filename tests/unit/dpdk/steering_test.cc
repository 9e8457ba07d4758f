#include "dpdk/steering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dpdk/port.h"

namespace viaduct::dpdk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ip::Interface with_addresses(std::initializer_list<const char*> addresses) {
  ip::Interface interface{.first_media_port = 10'000, .media_ports = 4};
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
              ElementsAre(SteeringRule{false, 10'000, 0}, SteeringRule{true, 10'000, 0},
                          SteeringRule{false, 10'001, 1}, SteeringRule{true, 10'001, 1}));
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
