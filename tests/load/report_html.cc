// One page with the table and plots as inline SVG. It has no script and loads nothing.
#include <algorithm>
#include <functional>
#include <sstream>

#include "tests/load/report.h"

namespace viaduct::load {
namespace {

constexpr double PlotWidth = 640, PlotHeight = 180;
constexpr double Left = 70, Bottom = 24, Top = 10;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

struct Line {
  std::string name;
  const char* colour;
  std::function<double(const Second&)> value;
};

// Lines over the seconds of the run.
std::string plot(const std::vector<Second>& seconds, const std::string& title,
                 const std::vector<Line>& lines) {
  double most = 1e-9;
  for (const Second& s : seconds)
    for (const Line& line : lines) most = std::max(most, line.value(s));
  const double end = seconds.empty() ? 1 : std::max(seconds.back().at, 1.0);
  const auto x = [&](double at) { return Left + (PlotWidth - Left - 10) * at / end; };
  const auto y = [&](double v) {
    return PlotHeight - Bottom - (PlotHeight - Bottom - Top) * v / most;
  };
  std::ostringstream out;
  out << "<figure><figcaption>" << escaped(title);
  for (const Line& line : lines)
    out << " <span style=\"color:" << line.colour << "\">&#9632; " << escaped(line.name)
        << "</span>";
  out << "</figcaption><svg viewBox=\"0 0 " << PlotWidth << ' ' << PlotHeight
      << "\" role=\"img\" aria-label=\"" << escaped(title) << "\">";
  for (const double part : {0.0, 0.5, 1.0}) {
    out << "<line x1=\"" << Left << "\" x2=\"" << PlotWidth - 10 << "\" y1=\"" << y(most * part)
        << "\" y2=\"" << y(most * part) << "\" class=\"grid\"/><text x=\"" << Left - 6 << "\" y=\""
        << y(most * part) + 4 << "\" text-anchor=\"end\">"
        << with_digits(most * part, most < 10 ? 2 : 0) << "</text>";
  }
  for (const double part : {0.0, 0.5, 1.0})
    out << "<text x=\"" << x(end * part) << "\" y=\"" << PlotHeight - 6
        << "\" text-anchor=\"middle\">" << with_digits(end * part, 0) << " s</text>";
  for (const Line& line : lines) {
    out << "<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"" << line.colour
        << "\" points=\"";
    for (const Second& s : seconds) out << x(s.at) << ',' << y(line.value(s)) << ' ';
    out << "\"/>";
  }
  out << "</svg></figure>\n";
  return out.str();
}

// Bars for the phases of joining, at the median and the 95th percentile.
std::string join_bars(const JoinCounts& joins) {
  struct Bar {
    const char* name;
    const Histogram& values;
  };
  const Bar bars[] = {{"signalling", joins.signalling},
                      {"ICE", joins.ice},
                      {"DTLS", joins.dtls},
                      {"first packet", joins.first_media}};
  double most = 1e-9;
  for (const Bar& bar : bars) most = std::max(most, to_seconds(bar.values.percentile(95)));
  std::ostringstream out;
  out << "<figure><figcaption>Joins by phase: median (dark), 95th percentile (light)"
         "</figcaption><svg viewBox=\"0 0 "
      << PlotWidth << " 130\" role=\"img\" aria-label=\"Joins by phase\">";
  double at = 8;
  for (const Bar& bar : bars) {
    const auto width = [&](double percentile) {
      return (PlotWidth - 220) * to_seconds(bar.values.percentile(percentile)) / most;
    };
    out << "<text x=\"100\" y=\"" << at + 14 << "\" text-anchor=\"end\">" << bar.name
        << "</text><rect x=\"108\" y=\"" << at << "\" height=\"18\" width=\"" << width(95)
        << "\" fill=\"#a9c8e8\"/><rect x=\"108\" y=\"" << at << "\" height=\"18\" width=\""
        << width(50) << "\" fill=\"#1f5f9f\"/><text x=\"" << 114 + width(95) << "\" y=\"" << at + 14
        << "\">" << milliseconds(bar.values.percentile(95)) << "</text>";
    at += 30;
  }
  out << "</svg></figure>\n";
  return out.str();
}

std::string checks(const Results& results) {
  std::ostringstream out;
  if (!results.checks.empty()) {
    out << "<table><tr><th>threshold</th><th>found</th><th>at most</th><th></th></tr>\n";
    for (const Check& c : results.checks)
      out << "<tr><td>" << escaped(c.what) << "</td><td>" << escaped(c.found) << "</td><td>"
          << escaped(c.allowed) << "</td><td>" << (c.passed ? "ok" : "missed") << "</td></tr>\n";
    out << "</table>\n";
  }
  for (const std::string& why : results.invalid_because)
    out << "<p class=\"bad\">" << escaped(why) << "</p>\n";
  return out.str();
}

constexpr const char* Style =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:720px;margin:2em auto;padding:0 "
    "1em;color:#222}"
    "pre{background:#f5f5f5;padding:1em;overflow-x:auto;font-size:12.5px}figure{margin:1.2em 0}"
    "figcaption{font-weight:600}svg{width:100%;height:auto}svg text{font-size:11px;fill:#555}"
    ".grid{stroke:#ddd}table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left;"
    "border-bottom:1px solid #ddd}.good{color:#1a7f37}.bad{color:#b3261e}";

}  // namespace

std::string write_html(const Report& report) {
  const Measurements& m = report.measured;
  const bool passed = report.results.verdict == Verdict::Passed;
  std::ostringstream out;
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"
      << escaped(report.scenario.name) << ": " << to_string(report.results.verdict)
      << "</title><style>" << Style << "</style></head><body>\n<h1>"
      << escaped(report.scenario.name) << "</h1>\n<p class=\"" << (passed ? "good" : "bad")
      << "\"><strong>" << to_string(report.results.verdict) << "</strong></p>\n"
      << checks(report.results);
  out << plot(m.seconds, "Packets a second",
              {{"received", "#1f5f9f", [](const Second& s) { return double(s.received); }},
               {"sent", "#2e8b57", [](const Second& s) { return double(s.sent); }}});
  out << plot(m.seconds, "Packets lost a second",
              {{"lost", "#b3261e", [](const Second& s) { return double(s.lost); }}});
  out << plot(m.seconds, "One-way latency, milliseconds",
              {{"99th percentile", "#b36b00", [](const Second& s) { return s.latency_p99_ms; }},
               {"median", "#1f5f9f", [](const Second& s) { return s.latency_p50_ms; }}});
  out << plot(
      m.seconds, "The bridge's CPU, percent of a core",
      {{"CPU", "#6b3fa0", [](const Second& s) { return s.bridge_cpu_percent.value_or(0); }}});
  out << plot(m.seconds, "Participants connected",
              {{"connected", "#2e8b57", [](const Second& s) { return double(s.connected); }}});
  out << join_bars(m.joins) << "<h2>All figures</h2>\n<pre>" << escaped(write_table(report))
      << "</pre>\n</body></html>\n";
  return out.str();
}

}  // namespace viaduct::load
