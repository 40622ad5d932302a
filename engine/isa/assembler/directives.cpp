// The directives by name.
#include <algorithm>
#include <array>

#include "engine/isa/assembler/assembly.h"

namespace e2k::isa::assembler {

const Assembly::DirectiveRow* Assembly::row_of(std::string_view name) {
    using A = Assembly;
    constexpr bool kInside = true;
    static const auto rows = [] {
        std::vector<DirectiveRow> all{
            // Where things go.
            {".text", &A::usual_section},
            {".data", &A::usual_section},
            {".rodata", &A::usual_section},
            {".bss", &A::usual_section},
            {".section", &A::named_section},
            {".pushsection", &A::named_section},
            {".popsection", &A::pop_section},
            {".previous", &A::previous_section},
            {".subsection", &A::subsection},
            {".struct", &A::absolute_section},
            {".offset", &A::absolute_section},
            {".align", &A::alignment},
            {".balign", &A::alignment},
            {".balignw", &A::alignment},
            {".balignl", &A::alignment},
            {".p2align", &A::alignment},
            {".p2alignw", &A::alignment},
            {".p2alignl", &A::alignment},
            {".org", &A::origin},
            {".ignore", &A::style, kInside},
            {".accept", &A::style, kInside},
            {".cpu", &A::processor, kInside},
            // Contents.
            {".octa", &A::octas},
            {".float", &A::reals},
            {".single", &A::reals},
            {".double", &A::reals},
            {".dc.s", &A::reals},
            {".dc.d", &A::reals},
            {".uleb128", &A::leb128},
            {".sleb128", &A::leb128},
            {".ascii", &A::strings},
            {".asciz", &A::strings},
            {".string", &A::strings},
            {".string8", &A::strings},
            {".string16", &A::strings},
            {".string32", &A::strings},
            {".string64", &A::strings},
            {".reg", &A::register_code},
            {".skip", &A::space},
            {".space", &A::space},
            {".zero", &A::space},
            {".ds", &A::space},
            {".ds.b", &A::space},
            {".ds.w", &A::space},
            {".ds.l", &A::space},
            {".ds.s", &A::space},
            {".ds.d", &A::space},
            {".ds.p", &A::space},
            {".ds.x", &A::space},
            {".fill", &A::fill},
            {".dcb", &A::repeated},
            {".dcb.b", &A::repeated},
            {".dcb.w", &A::repeated},
            {".dcb.l", &A::repeated},
            {".dcb.s", &A::repeated},
            {".dcb.d", &A::repeated},
            {".incbin", &A::binary_file},
            // Symbols.
            {".globl", &A::binding, kInside},
            {".global", &A::binding, kInside},
            {".weak", &A::binding, kInside},
            {".local", &A::binding, kInside},
            {".extern", &A::binding, kInside},
            {".hidden", &A::visibility, kInside},
            {".protected", &A::visibility, kInside},
            {".internal", &A::visibility, kInside},
            {".set", &A::set_symbol, kInside},
            {".equ", &A::set_symbol, kInside},
            {".equiv", &A::set_symbol, kInside},
            {".eqv", &A::set_symbol, kInside},
            {".type", &A::symbol_type, kInside},
            {".size", &A::symbol_size, kInside},
            {".weakref", &A::weak_reference, kInside},
            {".comm", &A::common},
            {".common", &A::common},
            {".lcomm", &A::local_common},
            // What a program at fixed addresses cannot have.
            {".reloc", &A::refused},
            {".dtprelword", &A::refused},
            {".dtpreldword", &A::refused},
            {".tls_common", &A::refused},
            {".mri", &A::refused},
        };
        // Integers: see `integers`.
        for (const std::string_view n :
             {".byte",  ".1byte",  ".dc.b",  ".short", ".hword",   ".half",  ".2byte", ".dc",
              ".dc.w",  ".uahalf", ".word",  ".long",  ".int",     ".4byte", ".dc.l",  ".uaword",
              ".dword", ".quad",   ".8byte", ".dc.a",  ".uadword", ".xword", ".ptr"})
            all.push_back({n, &A::integers});
        // Notes for debuggers, linkers and listings: they make no bytes here.
        for (const std::string_view n : {".file",
                                         ".loc",
                                         ".loc_mark_labels",
                                         ".line",
                                         ".ln",
                                         ".ident",
                                         ".version",
                                         ".symver",
                                         ".stabs",
                                         ".stabn",
                                         ".stabd",
                                         ".lflags",
                                         ".linkonce",
                                         ".list",
                                         ".nolist",
                                         ".title",
                                         ".sbttl",
                                         ".psize",
                                         ".eject",
                                         ".gnu_attribute",
                                         ".vtable_entry",
                                         ".vtable_inherit",
                                         ".attach_to_group",
                                         ".appfile",
                                         ".appline",
                                         ".desc",
                                         ".lsym",
                                         ".linefile"})
            all.push_back({n, &A::ignored, kInside});
        std::sort(all.begin(), all.end(),
                  [](const DirectiveRow& a, const DirectiveRow& b) { return a.name < b.name; });
        return all;
    }();
    static const DirectiveRow frame_note{".cfi_", &A::ignored, kInside};
    if (name.starts_with(frame_note.name)) return &frame_note;
    const auto at =
        std::lower_bound(rows.begin(), rows.end(), name,
                         [](const DirectiveRow& row, std::string_view n) { return row.name < n; });
    return at != rows.end() && at->name == name ? &*at : nullptr;
}

void Assembly::directive(const SourceLine& line, bool inside_bundle) {
    Directive d{line, {}, cursor(line)};
    d.name = lower(d.in.symbol_name());
    if (d.name == ".label") return fail(line, "this stands inside the braces of a bundle");
    const DirectiveRow* const row = row_of(d.name);
    if (!row) return fail(line, "this directive is not known");
    if (inside_bundle && !row->inside)
        return fail(line, "this directive cannot stand inside the braces of a bundle");
    (this->*row->run)(d);
}

}  // namespace e2k::isa::assembler
