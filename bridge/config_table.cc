#include "config_table.h"

#include <boost/pfr/core.hpp>
#include <numeric>

namespace viaduct {
namespace {

void add(std::vector<SettingsSection>& sections, const Section& section) {
  sections.push_back({section.title(), {}});
}
void add(std::vector<SettingsSection>& sections, AnySetting& setting) {
  sections.back().settings.push_back(&setting);
}

// Levenshtein's distance, one row at a time.
size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t k = 0; k < b.size(); ++k) {
      const size_t replaced = diagonal + (a[i] == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = std::min({replaced, row[k] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ",").append(text);
  return out;
}

}  // namespace

std::vector<SettingsSection> sections_of(Config& config) {
  std::vector<SettingsSection> sections;
  boost::pfr::for_each_field(config, [&sections](auto& field) { add(sections, field); });
  return sections;
}

AnySetting* find_setting(Config& config, std::string_view name) {
  for (const SettingsSection& section : sections_of(config)) {
    for (AnySetting* setting : section.settings) {
      if (setting->name() == name) return setting;
    }
  }
  return nullptr;
}

std::string_view nearest_name(std::string_view name,
                              const std::vector<std::string_view>& candidates) {
  const auto nearer = [name](std::string_view a, std::string_view b) {
    return edits_between(name, a) < edits_between(name, b);
  };
  const auto nearest = std::min_element(candidates.begin(), candidates.end(), nearer);
  return nearest == candidates.end() ? std::string_view{} : *nearest;
}

std::vector<std::string> wrapped_lines(std::string_view text, size_t columns) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > columns)
      lines.emplace_back();
    lines.back().append(lines.back().empty() ? "" : " ").append(word);
  }
  return lines;
}

std::string limits_sentence(const AnySetting& setting) {
  Config defaults;
  const std::string default_text = joined(find_setting(defaults, setting.name())->texts());
  std::string sentence =
      setting.allowed() + ". Default: " + (default_text.empty() ? "empty" : default_text) + ".";
  sentence.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence.front())));
  return sentence;
}

}  // namespace viaduct
