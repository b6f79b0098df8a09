// Takes what the code under test prints to std::cout and std::cerr.
#pragma once
#include <iostream>
#include <sstream>
#include <string>

namespace tobogan {

class Quiet {
 public:
  Quiet() : cout_(std::cout.rdbuf(out_.rdbuf())), cerr_(std::cerr.rdbuf(err_.rdbuf())) {}
  ~Quiet() {
    std::cout.rdbuf(cout_);
    std::cerr.rdbuf(cerr_);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

 private:
  std::ostringstream out_, err_;
  std::streambuf *cout_, *cerr_;
};

}  // namespace tobogan
