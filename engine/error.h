// How the project refuses: one sentence that says what was expected, what came, and which shape or file it was.
//
//   check(x.rank() == 4, "conv2d: expected an image batch {N, C, H, W}, got shape ", x.shape());
//
// The sentence is thrown as tobogan::Error; programs print it after "error: " and exit with 1.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>

namespace tobogan {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Everything that can be written to a stream, one after the other.
template <class... Parts>
std::string concat_text(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

// Throws Error with the parts joined together unless the condition holds.
template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    throw Error(concat_text(parts...));
}

}  // namespace tobogan
