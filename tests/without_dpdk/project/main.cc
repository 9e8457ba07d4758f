// Exits with 0 where no port opens because the program was built without DPDK.
#include <cstdio>
#include <string>

#include "dpdk/network.h"

int main() {
  const auto network = viaduct::dpdk::open_network({.ports = {"net_tap0"}});
  const std::string why = network ? "a port has opened" : network.error().text;
  std::puts(why.c_str());
  return why.starts_with("this program was built without DPDK") ? 0 : 1;
}
