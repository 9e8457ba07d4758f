#include "config_file.h"

#include <toml++/toml.h>

#include <fstream>
#include <sstream>

#include "config_table.h"

namespace viaduct {
namespace {

constexpr size_t CommentColumns = 110;

Error invalid(std::string text) { return {ErrorCode::InvalidArgument, std::move(text)}; }

std::string place(const std::filesystem::path& file, const toml::source_region& source) {
  return file.string() + ", line " + std::to_string(source.begin.line);
}

// A scalar as an operator would write it on the command line, when it is of the kind that the
// setting takes.
std::optional<std::string> scalar_text(const toml::node& node, ValueShape shape) {
  if (shape == ValueShape::Text && node.is_string()) return **node.as_string();
  if (shape == ValueShape::Number && node.is_integer()) return std::to_string(**node.as_integer());
  if (shape == ValueShape::Switch && node.is_boolean())
    return **node.as_boolean() ? "true" : "false";
  return std::nullopt;
}

std::string written(const toml::node& node) {
  std::ostringstream out;
  out << toml::toml_formatter(node, toml::format_flags::none);
  return out.str();
}

// How the file writes a value of that kind.
std::string kind_of(const AnySetting& setting) {
  if (setting.is_list()) return "a list of quoted texts in brackets";
  switch (setting.shape()) {
    case ValueShape::Text:
      return "a text in quotes";
    case ValueShape::Number:
      return "a number without quotes";
    case ValueShape::Switch:
      return "true or false without quotes";
  }
  return {};
}

Result<void> read_value(const toml::node& node, AnySetting& setting) {
  const Error wrong_kind = invalid(written(node) + " is not allowed; give " + kind_of(setting) +
                                   ": " + setting.allowed());
  if (setting.is_list() != node.is_array()) return wrong_kind;

  std::vector<std::string> texts;
  const auto take = [&](const toml::node& scalar) {
    std::optional<std::string> text = scalar_text(scalar, setting.shape());
    if (text) texts.push_back(std::move(*text));
    return text.has_value();
  };
  if (const toml::array* list = node.as_array()) {
    for (const toml::node& element : *list) {
      if (!take(element)) return wrong_kind;
    }
  } else if (!take(node)) {
    return wrong_kind;
  }
  return setting.assign(texts);
}

Error unknown_key(std::string_view key, Config& config) {
  std::vector<std::string_view> names;
  for (const SettingsSection& section : sections_of(config)) {
    for (const AnySetting* setting : section.settings) names.push_back(setting->name());
  }
  return invalid("'" + std::string(key) + "' is no option; the nearest is '" +
                 std::string(nearest_name(key, names)) + "'");
}

Result<void> read_table(const toml::table& table, const std::filesystem::path& file,
                        Config& config) {
  for (const auto& [key, node] : table) {
    const std::string at = place(file, key.source()) + ": ";
    AnySetting* setting = find_setting(config, key.str());
    if (setting == nullptr) return invalid(at + unknown_key(key.str(), config).text);
    if (const auto read = read_value(node, *setting); !read)
      return invalid(at + std::string(key.str()) + ": " + read.error().text);
  }
  return {};
}

void write_comment(std::ostream& out, std::string_view text) {
  for (const std::string& line : wrapped_lines(text, CommentColumns)) out << "# " << line << "\n";
}

void write_scalar(std::ostream& out, const std::string& text, ValueShape shape) {
  if (shape == ValueShape::Text) {
    out << written(toml::value<std::string>(text));
  } else {
    out << text;
  }
}

void write_value(std::ostream& out, const AnySetting& setting) {
  const std::vector<std::string> texts = setting.texts();
  if (setting.is_list()) out << "[";
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out << ", ";
    write_scalar(out, texts[i], setting.shape());
  }
  if (setting.is_list()) out << "]";
}

}  // namespace

Result<void> read_config_file(const std::filesystem::path& file, Config& config) {
  std::error_code error;
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file, error)) {
    return Error{ErrorCode::NotFound,
                 "--config " + file.string() + " cannot be read; name a TOML file"};
  }
  try {
    return read_table(toml::parse(in, file.string()), file, config);
  } catch (const toml::parse_error& wrong) {
    return invalid(place(file, wrong.source()) +
                   " is not TOML: " + std::string(wrong.description()));
  }
}

std::string annotated_toml(const Config& config) {
  std::ostringstream out;
  write_comment(out,
                "Viaduct's configuration, as printed by viaduct --print-config. Every key is also "
                "an option of the command "
                "line (workers = 4 is --workers 4), and the command line wins. An empty text or "
                "list leaves the choice to "
                "the bridge.");
  Config copy = config;
  for (const SettingsSection& section : sections_of(copy)) {
    out << "\n\n# ==== " << section.title << " ====\n";
    for (const AnySetting* setting : section.settings) {
      out << "\n";
      write_comment(out, setting->help());
      write_comment(out, limits_sentence(*setting));
      out << setting->name() << " = ";
      write_value(out, *setting);
      out << "\n";
    }
  }
  return out.str();
}

}  // namespace viaduct
