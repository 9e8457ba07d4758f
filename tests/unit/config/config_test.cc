// Reading, checking and printing the configuration, through the same function as the program.
#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config_table.h"

namespace viaduct {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A directory of the test's own that is gone afterwards.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() { std::filesystem::create_directories(directory_); }
  ~ConfigTest() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = directory_ / name;
    std::ofstream(path) << text;
    return path.string();
  }

  // The program started with `arguments` and a page of its own.
  Result<Startup> start(std::vector<std::string> arguments) const {
    file("index.html", "");
    arguments.insert(arguments.begin(), {"viaduct", "--web-root", directory_.string()});
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return load_config(static_cast<int>(argv.size()), argv.data());
  }

  Config config(std::vector<std::string> arguments) const {
    auto startup = start(std::move(arguments));
    EXPECT_TRUE(startup.ok()) << startup.error().text;
    return startup ? startup->config : Config{};
  }

  std::string error(std::vector<std::string> arguments) const {
    auto startup = start(std::move(arguments));
    EXPECT_FALSE(startup.ok());
    return startup ? "" : startup.error().text;
  }

  const std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / ("viaduct_config_" + std::to_string(getpid()));
};

TEST_F(ConfigTest, StartsWithoutArgumentsOnTheDocumentedAddresses) {
  const Config c = config({});
  EXPECT_EQ(c.page_address->to_string(), "127.0.0.1:8080");
  EXPECT_EQ(c.admin_address->to_string(), "127.0.0.1:9091");
  EXPECT_EQ(*c.media_port, 10000);
  EXPECT_EQ(*c.tls, TlsMode::Off);
  EXPECT_FALSE(*c.token_required);
}

TEST_F(ConfigTest, LeavesNoAutomaticValueToTheRestOfTheProgram) {
  const Config c = config({});
  EXPECT_GE(*c.workers, 1);
  EXPECT_FALSE(c.web_root->empty());
  EXPECT_FALSE(c.advertise->empty());
}

TEST_F(ConfigTest, TakesValuesFromTheCommandLine) {
  const Config c = config({"--page-address", "[::1]:0", "--workers=3", "--log-format", "json",
                           "--tls", "ephemeral", "--video-codecs", "av1,vp8",
                           "--srtp-profiles=sha1-80", "--token-issuer", "me"});
  EXPECT_EQ(c.page_address->to_string(), "[::1]:0");
  EXPECT_EQ(*c.workers, 3);
  EXPECT_EQ(*c.log_format, log::Format::Json);
  EXPECT_EQ(*c.tls, TlsMode::Ephemeral);
  EXPECT_THAT(*c.video_codecs, ElementsAre(codec::CodecType::Av1, codec::CodecType::Vp8));
  EXPECT_THAT(*c.srtp_profiles, ElementsAre(srtp::SrtpProfile::Aes128CmHmacSha1_80));
  EXPECT_EQ(*c.token_issuer, "me");
}

TEST_F(ConfigTest, TakesAllRepetitionsOfAListAndTheLastOfAnythingElse) {
  const Config c = config({"--advertise", "192.0.2.1", "--workers", "1", "--advertise",
                           "2001:db8::1", "--workers", "2"});
  EXPECT_THAT(c.advertise.texts(), ElementsAre("192.0.2.1", "2001:db8::1"));
  EXPECT_EQ(*c.workers, 2);
}

TEST_F(ConfigTest, TakesASwitchWithAndWithoutAValue) {
  const std::string secret = file("secret", "0123456789abcdef0123456789abcdef");
  EXPECT_TRUE(*config({"--token-secret-file", secret, "--token-required"}).token_required);
  EXPECT_TRUE(*config({"--token-secret-file", secret, "--token-required", "true"}).token_required);
  EXPECT_FALSE(*config({"--token-secret-file", secret, "--token-required=false"}).token_required);
}

TEST_F(ConfigTest, ReadsAFileAndLetsTheCommandLineWin) {
  const std::string toml =
      file("viaduct.toml", "workers = 4\nmedia-port = 20000\nadvertise = [\"192.0.2.7\"]\n");
  const Config c = config({"--config", toml, "--media-port", "30000"});
  EXPECT_EQ(*c.workers, 4);
  EXPECT_EQ(*c.media_port, 30000);
  EXPECT_THAT(c.advertise.texts(), ElementsAre("192.0.2.7"));
}

TEST_F(ConfigTest, NamesOptionValueAndLimitsOfAWrongValueOnTheCommandLine) {
  EXPECT_EQ(error({"--workers", "99"}),
            "--workers: '99' is not allowed; give a whole number from 0 to 64 (threads)");
  EXPECT_EQ(error({"--workers", "-1"}),
            "--workers: '-1' is not allowed; give a whole number from 0 to 64 (threads)");
  EXPECT_EQ(error({"--tls", "on"}),
            "--tls: 'on' is not allowed; give one of off, ephemeral, files");
  EXPECT_THAT(error({"--page-address", "8080"}),
              HasSubstr("'8080' is not allowed; give an IP address and a port"));
  EXPECT_THAT(error({"--page-address", "::1:8080"}), HasSubstr("'::1:8080' is not allowed"));
  EXPECT_THAT(error({"--media-port", "65536"}), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(error({"--video-codecs", "vp8,opus"}),
              HasSubstr("'opus' is not allowed; give a list, each one of vp8, vp9, h264, av1"));
  EXPECT_THAT(error({"--video-codecs", "vp8,vp8"}), HasSubstr("'vp8' stands there twice"));
  EXPECT_THAT(error({"--advertise", "bridge.example.org"}),
              HasSubstr("'bridge.example.org' is not allowed; give a list, each an IP address"));
}

TEST_F(ConfigTest, NamesTheLineOfAWrongValueInTheFile) {
  const std::string range = file("range.toml", "# one\nworkers = 99\n");
  EXPECT_EQ(
      error({"--config", range}),
      range + ", line 2: workers: '99' is not allowed; give a whole number from 0 to 64 (threads)");
  const std::string kind = file("kind.toml", "workers = \"4\"\n");
  EXPECT_THAT(error({"--config", kind}),
              HasSubstr("workers: \"4\" is not allowed; give a number without quotes"));
  const std::string list = file("list.toml", "advertise = \"192.0.2.1\"\n");
  EXPECT_THAT(error({"--config", list}), HasSubstr("give a list of quoted texts in brackets"));
}

TEST_F(ConfigTest, SuggestsTheNearestNameForAnUnknownOne) {
  const std::string toml = file("viaduct.toml", "worker = 4\n");
  EXPECT_EQ(error({"--config", toml}),
            toml + ", line 1: 'worker' is no option; the nearest is 'workers'");
  EXPECT_EQ(error({"--audio-slot=4"}),
            "'--audio-slot' is no option; the nearest is '--audio-slots'");
  const std::string table = file("table.toml", "[tls]\nmode = \"off\"\n");
  EXPECT_THAT(error({"--config", table}), HasSubstr("line 1: tls: "));
}

TEST_F(ConfigTest, RefusesAFileThatIsAbsentOrNotToml) {
  EXPECT_THAT(error({"--config", (directory_ / "absent").string()}),
              HasSubstr("absent cannot be read; name a TOML file"));
  EXPECT_THAT(error({"--config", directory_.string()}),
              HasSubstr("cannot be read; name a TOML file"));
  const std::string broken = file("broken.toml", "workers = 1\nworkers 2\n");
  EXPECT_THAT(error({"--config", broken}), HasSubstr(broken + ", line 2 is not TOML: "));
}

TEST_F(ConfigTest, RefusesAnOptionWithoutItsValue) {
  EXPECT_EQ(error({"--workers"}), "--workers needs a value; see viaduct --help");
}

TEST_F(ConfigTest, RefusesEmptyListsThatTheBridgeCannotWorkWithout) {
  EXPECT_THAT(error({"--config", file("codecs.toml", "video-codecs = []\n")}),
              HasSubstr("video-codecs is empty; give a list"));
  EXPECT_THAT(error({"--config", file("media.toml", "media-address = []\n")}),
              HasSubstr("media-address is empty"));
}

TEST_F(ConfigTest, RefusesSettingsThatContradictEachOther) {
  const std::string pem = file("some.pem", "");
  EXPECT_THAT(error({"--tls", "files"}), HasSubstr("give both tls-certificate and tls-key"));
  EXPECT_THAT(error({"--tls-key", pem}), HasSubstr("tls 'off' uses no files"));
  EXPECT_THAT(error({"--token-required"}), HasSubstr("give token-secret-file or token-public-key"));
  EXPECT_THAT(error({"--media-port", "65535", "--workers", "2"}), HasSubstr("give at most 65534"));
  EXPECT_THAT(error({"--advertise", "0.0.0.0"}), HasSubstr("advertise '0.0.0.0'"));
  EXPECT_THAT(error({"--allowed-origins", "meet.example.org"}),
              HasSubstr("allowed-origins 'meet.example.org'"));
}

TEST_F(ConfigTest, AllowsDirectConnectionsAndLeavesEncryptionToPeopleUnlessTold) {
  EXPECT_TRUE(*config({}).direct);
  EXPECT_FALSE(*config({}).require_e2ee);
  EXPECT_TRUE(config({}).ice_servers->empty());
  const Config c = config({"--direct=false", "--require-e2ee", "--ice-servers",
                           "stun:stun.example.org,stun:[2001:db8::1]:3478"});
  EXPECT_FALSE(*c.direct);
  EXPECT_TRUE(*c.require_e2ee);
  EXPECT_THAT(*c.ice_servers, ElementsAre("stun:stun.example.org", "stun:[2001:db8::1]:3478"));
}

TEST_F(ConfigTest, RefusesIceServersThatAreNotStunUrls) {
  EXPECT_THAT(error({"--ice-servers", "turn:turn.example.org"}), HasSubstr("would need a password"));
  EXPECT_THAT(error({"--ice-servers", "turns:turn.example.org:443"}),
              HasSubstr("would need a password"));
  for (const char* bad :
       {"stun.example.org", "stun:", "stun:a b", "stun://stun.example.org", "stun:a:0",
        "stun:a:65536", "stun:a:", "stun:[::1", "stun:[bridge]", "stun:a?transport=udp", "http://a",
        "stun:[::1]3478"}) {
    EXPECT_THAT(error({"--ice-servers", bad}), HasSubstr("give stun: and a host")) << bad;
  }
  for (const char* good : {"stun:192.0.2.1", "stun:a-b.example:1", "stun:[::1]"})
    EXPECT_THAT(*config({"--ice-servers", good}).ice_servers, ElementsAre(good));
}

TEST_F(ConfigTest, TellsClientsTheAddressesThatTheBridgeHasByDpdk) {
  const Config c = config({"--io", "dpdk", "--dpdk-ports", "0000:3b:00.0", "--dpdk-addresses",
                           "192.0.2.10/24,2001:db8::10/64", "--dpdk-cpus", "2,4,6"});
  EXPECT_THAT(c.advertise.texts(), ElementsAre("192.0.2.10", "2001:db8::10"));
  EXPECT_EQ(*c.workers, 3) << "one for each CPU that is named";

  const Config named = config({"--io", "dpdk", "--dpdk-ports", "net_tap0", "--dpdk-addresses",
                               "10.0.0.10/8", "--advertise", "192.0.2.7", "--workers", "1"});
  EXPECT_THAT(named.advertise.texts(), ElementsAre("192.0.2.7"));
}

TEST_F(ConfigTest, SaysWhatDpdkNeeds) {
  const auto with = [this](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--io", "dpdk", "--dpdk-ports", "0000:3b:00.0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return error(arguments);
  };
  EXPECT_THAT(error({"--io", "dpdk"}), HasSubstr("io 'dpdk' needs a network port"));
  EXPECT_THAT(with({}), HasSubstr("dpdk-addresses is empty"));
  EXPECT_THAT(with({"--dpdk-addresses", "192.0.2.10"}), HasSubstr("with the bits of its network"));
  EXPECT_THAT(with({"--dpdk-addresses", "192.0.2.10/33"}), HasSubstr("'192.0.2.10/33' is not allowed"));
  EXPECT_THAT(with({"--dpdk-addresses", "192.0.2.10/24", "--dpdk-gateways", "198.51.100.1"}),
              HasSubstr("is on no network of dpdk-addresses"));
  EXPECT_THAT(with({"--dpdk-addresses", "192.0.2.10/24", "--dpdk-gateways", "192.0.2.1,192.0.2.2"}),
              HasSubstr("'192.0.2.2' is the second of its family"));
  EXPECT_THAT(with({"--dpdk-addresses", "192.0.2.10/24", "--dpdk-cpus", "2", "--workers", "2"}),
              HasSubstr("names 1 CPUs for 2 workers"));
  EXPECT_THAT(with({"--dpdk-vlan", "4095"}), HasSubstr("from 0 to 4094"));
}

TEST_F(ConfigTest, RefusesFilesThatCannotBeRead) {
  const std::string absent = (directory_ / "absent.pem").string();
  EXPECT_THAT(error({"--token-public-key", absent}),
              HasSubstr("token-public-key '" + absent + "' cannot be read (No such file"));
  EXPECT_THAT(error({"--token-secret-file", directory_.string()}),
              HasSubstr("cannot be read (it is a directory)"));
  EXPECT_THAT(error({"--web-root", (directory_ / "absent").string()}),
              HasSubstr("holds no index.html"));
}

TEST_F(ConfigTest, PrintsInsteadOfRunningWhenAsked) {
  EXPECT_THAT(start({"--version"})->print.value_or(""), testing::StartsWith("viaduct "));
  EXPECT_EQ(start({"--check-config"})->print, "The configuration is valid.\n");
  EXPECT_EQ(start({})->print, std::nullopt);
  EXPECT_THAT(error({"--check-config", "--workers", "99"}), HasSubstr("--workers"));
}

// Words only, so that texts that are broken into lines at different places compare.
std::string words_of(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string word; in >> word;) {
    if (word != "#") out.append(word).append(" ");
  }
  return out;
}

TEST_F(ConfigTest, ExplainsEveryOptionInTheHelp) {
  const std::string help = words_of(start({"--help"})->print.value_or(""));
  Config defaults;
  for (const SettingsSection& section : sections_of(defaults)) {
    EXPECT_THAT(help, HasSubstr(std::string(section.title) + ": "));
    for (const AnySetting* setting : section.settings) {
      const std::string option =
          "--" + std::string(setting->name()) + " " + setting->placeholder() + " ";
      EXPECT_THAT(help, HasSubstr(option + words_of(std::string(setting->help())) +
                                  words_of(limits_sentence(*setting))));
    }
  }
  for (const char* other : {"--config", "--check-config", "--print-config", "--version", "--help"})
    EXPECT_THAT(help, HasSubstr(other));
}

TEST_F(ConfigTest, ExplainsEveryKeyInThePrintedFile) {
  const std::string printed = words_of(annotated_toml(Config{}));
  Config defaults;
  for (const SettingsSection& section : sections_of(defaults)) {
    for (const AnySetting* setting : section.settings) {
      EXPECT_THAT(printed, HasSubstr(words_of(std::string(setting->help())) +
                                     words_of(limits_sentence(*setting)) +
                                     std::string(setting->name()) + " = "));
    }
  }
}

TEST(Settings, HaveNamesOfTheirOwn) {
  Config defaults;
  std::set<std::string_view> names;
  for (const SettingsSection& section : sections_of(defaults)) {
    for (const AnySetting* setting : section.settings)
      EXPECT_TRUE(names.insert(setting->name()).second) << setting->name();
  }
  EXPECT_GT(names.size(), 20u);
}

TEST_F(ConfigTest, ReadsBackWhatItPrints) {
  const std::vector<std::string> arguments = {"--workers",         "5",
                                              "--advertise",       "192.0.2.1,2001:db8::1",
                                              "--token-audience",  "a \"quoted\" \\ name'",
                                              "--log-level",       "debug",
                                              "--allowed-origins", "*"};
  std::vector<std::string> printing = arguments;
  printing.emplace_back("--print-config");
  const std::string printed = start(printing)->print.value_or("");
  EXPECT_THAT(printed, HasSubstr("workers = 5"));
  EXPECT_EQ(start({"--config", file("again.toml", printed), "--print-config"})->print, printed);
}

TEST_F(ConfigTest, HardensUnlessToldNotToAndRequiresItOnlyWhenToldTo) {
  EXPECT_TRUE(*config({}).hardening);
  EXPECT_FALSE(*config({}).require_hardening);
  EXPECT_TRUE(*config({"--require-hardening"}).require_hardening);
  EXPECT_FALSE(*config({"--hardening=false"}).hardening);
  EXPECT_THAT(error({"--hardening=false", "--require-hardening"}), HasSubstr("set hardening to true"));
}

TEST_F(ConfigTest, NeverPrintsASecret) {
  const std::string secret = file("secret", "tell-nobody-tell-nobody-tell-nobody-");
  EXPECT_THAT(start({"--token-secret-file", secret, "--print-config"})->print.value_or(""),
              Not(HasSubstr("tell-nobody")));
}

TEST(ConfigFile, InDeployIsWhatTheDefaultsPrint) {
  std::ifstream in(VIADUCT_SOURCE_DIR "/deploy/viaduct.toml");
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), annotated_toml(Config{}))
      << "run: viaduct --print-config > deploy/viaduct.toml";
}

}  // namespace
}  // namespace viaduct
