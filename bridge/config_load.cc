// The command line: options made from the settings, and those that make the bridge print something
// instead of running.
#include <CLI/CLI.hpp>

#include "config.h"
#include "config_automatic.h"
#include "config_check.h"
#include "config_file.h"
#include "config_table.h"

namespace viaduct {
namespace {

constexpr size_t OptionColumns = 38;
constexpr size_t HelpColumns = 76;

Error invalid(std::string text) { return {ErrorCode::InvalidArgument, std::move(text)}; }

std::string description(const AnySetting& setting) {
  std::string out;
  for (const std::string& line :
       wrapped_lines(std::string(setting.help()) + " " + limits_sentence(setting), HelpColumns)) {
    out.append(out.empty() ? "" : "\n").append(line);
  }
  return out;
}

class CommandLine {
 public:
  explicit CommandLine(Config& config) : config_(config) {
    app_.set_help_flag();  // --help is ours, so that it comes out like every other option
    app_.get_formatter()->column_width(OptionColumns);
    app_.allow_extras();
    add_settings();
    const char* group = "Instead of running";
    app_.add_option("--config", file_,
                    "TOML file to read first; deploy/viaduct.toml is one with every default.")
        ->type_name("FILE")
        ->group("Configuration");
    app_.add_flag("--check-config", check_, "Check the configuration and exit.")->group(group);
    app_.add_flag("--print-config", print_,
                  "Print the configuration as a TOML file that explains every key, and exit.")
        ->group(group);
    app_.add_flag("--version", version_, "Print the version and exit.")->group(group);
    app_.add_flag("-h,--help", help_, "Print this and exit.")->group(group);
    app_.footer("'viaduct gpu-check' checks this machine's GPU; see viaduct gpu-check --help.");
  }

  Result<Startup> load(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string_view text = error.what();
      return invalid(std::string(text.substr(0, text.find(':'))) +
                     " needs a value; see viaduct --help");
    } catch (const CLI::ParseError& error) {
      return invalid(std::string(error.what()) + "; see viaduct --help");
    }
    if (!app_.remaining().empty()) return unknown(app_.remaining().front());
    if (help_) return printed(app_.help());
    if (version_) return printed("viaduct " VIADUCT_VERSION "\n");

    if (!file_.empty()) {
      if (auto read = read_config_file(file_, config_); !read) return read.error();
    }
    if (auto taken = take_options(); !taken) return taken.error();
    if (auto checked = check_config(config_); !checked) return checked.error();
    if (print_) return printed(annotated_toml(config_));
    if (auto filled = fill_automatic(config_); !filled) return filled.error();
    if (check_) return printed("The configuration is valid.\n");
    return Startup{config_, std::nullopt};
  }

 private:
  void add_settings() {
    for (const SettingsSection& section : sections_of(config_)) {
      for (AnySetting* setting : section.settings) {
        CLI::Option* option = app_.add_option("--" + std::string(setting->name()));
        option->description(description(*setting));
        option->type_name(setting->placeholder())->group(std::string(section.title));
        option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        option->expected(setting->shape() == ValueShape::Switch ? 0 : 1, 1);
        options_.emplace_back(setting, option);
      }
    }
  }

  // Of an option given several times a list takes all, anything else the last. A switch needs no
  // value to be on.
  Result<void> take_options() {
    for (const auto& [setting, option] : options_) {
      if (option->count() == 0) continue;
      std::vector<std::string> texts;
      if (setting->is_list()) {
        for (const std::string& result : option->results()) {
          for (std::string& text : split_list(result)) texts.push_back(std::move(text));
        }
      } else {
        const std::string& last = option->results().back();
        texts.push_back(setting->shape() == ValueShape::Switch && last.empty() ? "true" : last);
      }
      if (auto taken = setting->assign(texts); !taken) {
        return invalid("--" + std::string(setting->name()) + ": " + taken.error().text);
      }
    }
    return {};
  }

  Error unknown(const std::string& argument) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app_.get_options())
      names.push_back("--" + option->get_lnames().front());
    const std::string given = argument.substr(0, argument.find('='));
    return invalid("'" + given + "' is no option; the nearest is '" +
                   std::string(nearest_name(given, {names.begin(), names.end()})) + "'");
  }

  Startup printed(std::string text) const { return {config_, std::move(text)}; }

  Config& config_;
  CLI::App app_{"Viaduct, a media bridge for WebRTC conferences.", "viaduct"};
  std::vector<std::pair<AnySetting*, CLI::Option*>> options_;
  std::string file_;
  bool check_ = false;
  bool print_ = false;
  bool version_ = false;
  bool help_ = false;
};

}  // namespace

Result<Startup> load_config(int argc, const char* const* argv) {
  Config config;
  return CommandLine(config).load(argc, argv);
}

}  // namespace viaduct
