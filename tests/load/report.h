// The reports of a run: for the terminal, for programs, for spreadsheets and for people.
#pragma once

#include <string>
#include <vector>

#include "tests/load/measurements.h"
#include "tests/load/results.h"
#include "tests/load/scenario.h"

namespace viaduct::load {

// All that a report may say.
struct Report {
  const Scenario& scenario;
  const Measurements& measured;
  const Results& results;
  std::vector<std::string> notes;  // what was verified and what was not exercised, a sentence each
};

std::string write_table(const Report& report);
std::string write_json(const Report& report);
std::string write_csv(const Report& report);   // one line for each second
std::string write_html(const Report& report);  // one page that loads nothing

}  // namespace viaduct::load
