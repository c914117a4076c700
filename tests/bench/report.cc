#include "tests/bench/report.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace zhibu::bench {
namespace {

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

Spread SpreadOf(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

bool Met(const Figure& figure) {
  const double median = SpreadOf(figure.values).median;
  return figure.aim->at_least ? median >= figure.aim->value : median <= figure.aim->value;
}

std::string AimText(const Figure& figure) {
  if (!figure.aim) return "";
  return absl::StrFormat("%s %.2f", figure.aim->at_least ? ">=" : "<=", figure.aim->value);
}

nlohmann::json JsonOf(const std::vector<double>& values) {
  const Spread spread = SpreadOf(values);
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}, {"rounds", values}};
}

}  // namespace

void Fail(absl::string_view what) {
  std::cerr << "zhibu_bench: " << what << std::endl;
  std::exit(1);
}

void Check(bool so, absl::string_view what) {
  if (!so) Fail(what);
}

void Check(const absl::Status& status, absl::string_view what) {
  if (!status.ok()) Fail(absl::StrCat(what, ": ", status.ToString()));
}

Times Alternate(int rounds, absl::FunctionRef<double()> floor,
                absl::FunctionRef<double()> subject) {
  subject();
  floor();
  Times times;
  for (int round = 0; round < rounds; ++round) {
    // Whoever comes second finds what the first left behind.
    if (round % 2 == 0) {
      times.floor.push_back(floor());
      times.subject.push_back(subject());
    } else {
      times.subject.push_back(subject());
      times.floor.push_back(floor());
    }
  }
  return times;
}

void Report::AddRatio(std::string name, std::optional<Aim> aim, const Times& times, double count,
                      std::string unit, std::string note) {
  Figure figure{
      .name = std::move(name), .aim = aim, .unit = std::move(unit), .note = std::move(note)};
  for (size_t i = 0; i < times.floor.size(); ++i) {
    figure.values.push_back(times.floor[i] / times.subject[i]);
    figure.subject_rate.push_back(count / times.subject[i]);
    figure.floor_rate.push_back(count / times.floor[i]);
  }
  figures_.push_back(std::move(figure));
}

void Report::AddValue(std::string name, std::optional<Aim> aim, double value, std::string note) {
  figures_.push_back(
      {.name = std::move(name), .aim = aim, .values = {value}, .note = std::move(note)});
}

void Report::PrintHeader(std::ostream& out) const {
  out << absl::StrFormat("%-40s %8s %8s %-15s %-4s %12s %12s  %s\n", "figure", "aim", "median",
                         "min-max", "met", "ours/s", "floor/s", "of");
}

void Report::PrintNew(std::ostream& out) {
  for (; printed_ < figures_.size(); ++printed_) {
    const Figure& figure = figures_[printed_];
    const Spread spread = SpreadOf(figure.values);
    const auto rate = [](const std::vector<double>& rates) {
      return rates.empty() ? "" : absl::StrFormat("%.0f", SpreadOf(rates).median);
    };
    out << absl::StrFormat(
        "%-40s %8s %8.3f %-15s %-4s %12s %12s  %s%s%s\n", figure.name, AimText(figure),
        spread.median,
        figure.values.size() > 1 ? absl::StrFormat("%.3f-%.3f", spread.min, spread.max) : "",
        !figure.aim   ? ""
        : Met(figure) ? "yes"
                      : "NO",
        rate(figure.subject_rate), rate(figure.floor_rate), figure.unit,
        figure.unit.empty() || figure.note.empty() ? "" : "; ", figure.note);
  }
  out.flush();
}

std::string Report::Json(const Options& options) const {
  nlohmann::json figures = nlohmann::json::array();
  for (const Figure& figure : figures_) {
    nlohmann::json one = {{"name", figure.name}, {"value", JsonOf(figure.values)}};
    if (!figure.note.empty()) one["note"] = figure.note;
    if (figure.aim) {
      one["aim"] = {{figure.aim->at_least ? "at_least" : "at_most", figure.aim->value}};
      one["met"] = Met(figure);
    }
    if (!figure.unit.empty()) {
      one["unit"] = absl::StrCat(figure.unit, " per second");
      one["subject"] = JsonOf(figure.subject_rate);
      one["floor"] = JsonOf(figure.floor_rate);
    }
    figures.push_back(std::move(one));
  }
  return nlohmann::json(
             {{"rounds", options.rounds}, {"quick", options.quick}, {"figures", figures}})
      .dump(2);
}

}  // namespace zhibu::bench
