// A small file browser for Open.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ui/theme.h"

namespace e2k::ui {

class FileDialog {
public:
    struct Choice {
        std::string path;
        std::vector<std::string> arguments;
    };

    void open(const std::string& folder);
    bool is_open() const { return open_; }
    /// Draws the dialog while it is open; a value once the user has chosen a file.
    std::optional<Choice> draw(const Theme& theme);
    const std::string& folder() const { return folder_; }

private:
    struct Entry {
        std::string name;
        bool folder = false;
        std::uint64_t size = 0;
        bool e2k = false;  ///< ELF for this machine, or assembler source
    };
    void read_folder();

    bool open_ = false, appear_ = false;
    std::string folder_, selected_, error_;
    std::vector<Entry> entries_;
    char path_[1024] = {};
    char arguments_[1024] = {};
};

/// Splits a line into words; quotes keep blanks, a backslash takes the next character as it is.
std::vector<std::string> split_words(std::string_view line);

}  // namespace e2k::ui
