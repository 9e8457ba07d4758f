// The settings of a Config as a list, in the order of the struct, under the title of their section.
#pragma once

#include <string_view>
#include <vector>

#include "config.h"

namespace viaduct {

struct SettingsSection {
  std::string_view title;
  std::vector<AnySetting*> settings;
};

// The pointers point into `config`.
std::vector<SettingsSection> sections_of(Config& config);

// The setting of that name, or null.
AnySetting* find_setting(Config& config, std::string_view name);

// Of `candidates`, the one that `name` was most likely meant to be (least edits); empty when there are none.
std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& candidates);

// `text` in lines of at most `columns` characters, broken between words.
std::vector<std::string> wrapped_lines(std::string_view text, size_t columns);

// Describes the limits and default of a setting: "A whole number from 0 to 64 (threads). Default: 0."
std::string limits_sentence(const AnySetting& setting);

}  // namespace viaduct
