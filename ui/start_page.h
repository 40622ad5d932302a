// The window without a program: demonstrations as cards, files opened before; and the strip of
// hints for the first program.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ui/panels/lesson.h"
#include "ui/scene.h"

namespace e2k::ui {

/// What a card says about a demo: read from its source.
struct DemoCard {
    std::string path;
    std::string title;  ///< "Rotating sum"
    std::string line;   ///< its first comment, one sentence
    /// Which units work in its first bundles, a bit each: six lanes, control, predicates, array.
    std::vector<std::uint16_t> units;
};

/// A missing or faulty source gives a card with its name alone.
DemoCard demo_card(const std::string& path);

class StartPage {
public:
    /// The program chosen in this frame. `asked_open`: "Open…" was pressed.
    std::optional<std::string> draw(const Scene& scene, const std::vector<std::string>& demos,
                                    const std::vector<std::string>& recent, bool& asked_open,
                                    LessonState& lessons);

private:
    std::vector<DemoCard> cards_;
};

}  // namespace e2k::ui
