// Command-line flags as the official interop programs take them: --name=value, --name value, and --name alone for "true".
#pragma once

#include <cstdlib>
#include <map>
#include <string>

class Flags {
 public:
  Flags(int argc, char** argv) {
    for (int i = 1; i < argc; i++) {
      std::string argument = argv[i];
      argument.erase(0, argument.find_first_not_of('-'));
      const size_t equals = argument.find('=');
      if (equals != std::string::npos) {
        values_[argument.substr(0, equals)] = argument.substr(equals + 1);
      } else if (i + 1 < argc && argv[i + 1][0] != '-') {
        values_[argument] = argv[++i];
      } else {
        values_[argument] = "true";
      }
    }
  }

  std::string Text(const std::string& name, const std::string& otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }

  int Number(const std::string& name, int otherwise) const {
    return std::atoi(Text(name, std::to_string(otherwise)).c_str());
  }

  bool IsSet(const std::string& name) const { return Text(name, "false") == "true"; }

 private:
  std::map<std::string, std::string> values_;
};
