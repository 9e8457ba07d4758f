// How loaded a worker is, for choosing where people go.
//
// A worker says about once a second how much of its time it was busy. That figure is old when it
// comes, and those who have just joined send nothing yet: each counts as a guess that fades as
// reports come in, so that many who join at once do not all go to the worker that was idle last.
#pragma once

namespace viaduct::control {

class WorkerLoad {
 public:
  // `busy` is a share of its time, 0 to 1.
  void on_report(double busy) {
    measured_ = busy;
    expected_ /= 2;
  }
  void on_join() { expected_ += BusyOfOneParticipant; }

  // What the worker is busy with, or soon will be.
  double busy() const { return measured_ + expected_; }
  // The same in coarse steps: smaller differences say nothing.
  int step() const { return static_cast<int>(busy() / Step); }

  // Further people of its conferences should rather go to another worker.
  bool is_high() const { return busy() >= High; }

 private:
  static constexpr double BusyOfOneParticipant = 0.005;
  static constexpr double Step = 0.05;
  static constexpr double High = 0.7;
  double measured_ = 0;
  double expected_ = 0;
};

}  // namespace viaduct::control
