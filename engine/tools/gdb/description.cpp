// target.xml: the registers and their types in the words of gdb.
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "engine/tools/gdb/registers.h"

namespace e2k::tools::gdb {
namespace {

/// A type that is a number and its bits: "base 0 47, rw 59 60". `bytes` is 4 or 8.
struct BitType {
    std::string_view name;
    unsigned bytes;
    std::string_view fields;
};
constexpr BitType kGenericTypes[] = {
    {"hs", 4,
     "mdl 0 3,lng 4 6,nop 7 9,lm 10 10,s 12 12,sw 13 13,c 14 15,cd 16 17,pl 18 19,"
     "ale 20 25,al 26 31"},
    {"alf2", 4, "dst 0 7,src2 8 15,opce 16 23,opc 24 31"},
    {"c1f1", 4, "param 0 27,opc 28 31"},
    {"cs0_dummy", 4, "disp 0 27,opc 28 31"},
    {"cs1_setwd", 4,
     "rbs 0 5,rsz 6 11,rcur 12 17,psz 18 22,settr 25 25,setbn 26 26,setbp 27 27,"
     "opc 28 31"},
    {"cs1_call", 4, "wbs 0 6,opc 28 31"},
    {"lts0_setwd", 4, "nfx 4 4,wsz 5 11,rpsz 12 16,type 17 31"},
    {"ss", 4,
     "ctcond 0 8,ctop 10 11,aa 12 15,alc 16 17,abp 18 19,abn 21 22,abg 23 24,vfdi 26 26,"
     "srp 27 27,bap 28 28,eap 29 29,ipd 30 31"},
    {"psr", 8, "pm 0 0,ie 1 1,sge 2 2,lw 3 3,uie 4 4,nmie 5 5,unmie 6 6"},
    {"upsr", 8,
     "fe 0 0,se 1 1,ac 2 2,di 3 3,wp 4 4,ie 5 5,a20 6 6,nmie 7 7,fsm 8 8,impt 9 9,"
     "iuc 10 10"},
    {"usd_lo", 8, "base 0 47,p 58 58,rw 59 60"},
    {"usd_hi", 8, "curptr 0 31,size 32 63"},
    {"psp_lo", 8, "base 0 47,rw 59 60"},
    {"psp_hi", 8, "ind 0 31,size 32 63"},
    {"pcsp_lo", 8, "base 0 47,rw 59 60"},
    {"pcsp_hi", 8, "ind 0 31,size 32 63"},
    {"pusd_lo", 8, "base 0 31,psl 32 47,p 58 58,rw 59 60"},
    {"pusd_hi", 8, "zero_0 0 31,size 32 63"},
    {"cr0_lo", 8, "pf 0 63"},
    {"cr0_hi", 8, "ip 3 47"},
    {"cr1_lo", 8,
     "tr 0 14,eir 16 23,wfx 25 25,wpsz 26 32,wbs 33 39,cur_ind 40 55,cur_ic 56 56,"
     "psr_pm 57 57,psr_ie 58 58,psr_sge 59 59,psr_lw 60 60,psr_uie 61 61,"
     "psr_nmie 62 62,psr_unmie 63 63"},
    {"cr1_hi", 8, "br 0 27,ussz 36 63"},
    {"wd", 8, "base 0 10,size 16 26,psize 32 42,fx 48 48"},
    {"br", 8, "rbs 0 5,rsz 6 11,rcur 12 17,psz 18 22,pcur 23 27"},
    {"bgr", 8, "val 0 7,cur 8 10"},
    {"ctpr_rwp", 8, "ta_base 0 47,ta_tag 54 56,opc 57 58,ipd 59 60"},
    {"pshtp", 8, "ind 0 11,fxind 16 26,tind 32 42,fx 48 48"},
    {"pcshtp", 8, "ind 0 10"},
    {"lsr", 8,
     "lcnt 0 31,ecnt 32 36,vlc 37 37,over 38 38,ldmc 39 39,ldovl 40 47,pcnt 48 52,"
     "strmd 53 59,semc 60 60"},
    {"ilcr", 8, "lcnt 0 31,ecnt 32 36,pcnt 48 52"},
    {"tir_lo", 8, "ip 0 47"},
    {"tir_hi", 8, "exc 0 43,al 44 49,aa 52 55,j 56 63"},
    {"cut_zero", 8, "cud_base 0 47,cud_c 58 58"},
    {"cut_two", 8, "gd_base 0 47"},
};

std::string field(std::string_view name, std::string_view type) {
    return fmt::format("<field name=\"{}\" type=\"{}\"/>", name, type);
}
std::string bits(std::string_view name, unsigned begin, unsigned end, std::string_view type = "") {
    return fmt::format("<field name=\"{}\" start=\"{}\" end=\"{}\"{}/>", name, begin, end,
                       type.empty() ? "" : fmt::format(" type=\"{}\"", type));
}
std::string structure(std::string_view name, std::string_view fields, unsigned size = 0) {
    return fmt::format("<struct id=\"{}\"{}>{}</struct>", name,
                       size ? fmt::format(" size=\"{}\"", size) : "", fields);
}
/// A number that is also its parts.
std::string bit_union(std::string_view name, unsigned bytes, std::string_view fields,
                      std::string_view parts) {
    return structure(parts, fields, bytes) + fmt::format("<union id=\"{}\">{}{}</union>", name,
                                                         bytes == 4 ? field("word", "uint32")
                                                         : name.starts_with("mlt_")
                                                             ? field("", "uint64")
                                                             : field("dword", "uint64"),
                                                         field("", parts));
}

std::string bit_type(const BitType& type) {
    std::string fields;
    for (std::string_view rest = type.fields; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        const std::size_t space = one.find(' '), last = one.rfind(' ');
        fields += fmt::format("<field name=\"{}\" start=\"{}\" end=\"{}\"/>", one.substr(0, space),
                              one.substr(space + 1, last - space - 1), one.substr(last + 1));
    }
    return bit_union(type.name, type.bytes, fields, fmt::format("{}_b", type.name));
}

std::string tagged_types() {
    std::string text =
        structure("etags", bits("tag0", 0, 1) + bits("tag1", 2, 3), 1) +
        structure("etags128",
                  bits("tag0", 0, 1) + bits("tag1", 2, 3) + bits("tag2", 4, 5) + bits("tag3", 6, 7),
                  1);
    const std::string tags = field("", "etags");
    text += structure("tagged32", field("word", "uint32") + tags);
    text += structure("tagged64", field("dword", "uint64") + tags);
    text += structure("tagged80", field("dword", "uint64") + field("ext", "uint16") + tags);
    text += structure("signed_tagged32", field("word", "int32") + tags);
    text += structure("signed_tagged64", field("dword", "int64") + tags);
    return text + structure("tagged128",
                            field("d0", "uint64") + field("d1", "uint64") + field("", "etags128"));
}

std::string predicate_types() {
    std::string file;
    for (unsigned n = 0; n < 32; ++n)
        file += bits(fmt::format("val{}", n), 2 * n, 2 * n, "uint64") +
                bits(fmt::format("tag{}", n), 2 * n + 1, 2 * n + 1, "uint64");
    return bit_union("pred", 4, bits("bval", 0, 0, "uint32") + bits("t", 1, 1, "uint32"),
                     "pred_b") +
           bit_union("pf", 8, file, "pf_b");
}

/// The memory lock trap, and the parameters of calls that gdb makes.
std::string record_types() {
    std::string text =
        bit_union("mlt_0", 8,
                  bits("resc", 0, 3) + bits("mask", 4, 11) + bits("page", 12, 39) +
                      bits("opcod_size", 40, 42) + bits("rg", 43, 50) + bits("st_ld_lock", 51, 51) +
                      bits("hit", 52, 52) + bits("val", 53, 53),
                  "mlt_b0");
    text += bit_union(
        "mlt_1", 8, bits("byte", 0, 2) + bits("word", 3, 11) + bits("virt_page", 12, 47), "mlt_b1");
    text += bit_union("mlt_2", 8,
                      bits("sec_resc", 0, 3) + bits("mask_sec", 4, 11) + bits("next", 12, 20) +
                          bits("sec_page", 21, 22) + bits("second", 23, 23) + bits("pbv", 24, 24),
                      "mlt_b2");
    text += structure("mlt", field("", "mlt_0") + field("", "mlt_1") + field("", "mlt_2"));
    const std::string where = field("set", "uint64") + field("offset", "uint64");
    text += structure("dbl_param", where + field("val", "uint64") + field("tags", "uint8"));
    return text + structure("quad_param", where + field("val1", "uint64") +
                                              field("val2", "uint64") + field("tags", "uint8"));
}

std::string registers_of(Feature feature) {
    std::string text;
    for (const RegisterRow& row : register_rows())
        for (unsigned i = 0; row.feature == feature && i < row.count; ++i)
            text += fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\"/>", row.name_of(i),
                                8 * row.size, row.type);
    return text;
}

/// Names that the client must find, and never asks for: it computes them.
std::string computed_registers() {
    std::string text;
    const auto add = [&](std::string_view name, unsigned size, std::string_view type) {
        text += fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\"/>", name, size, type);
    };
    for (unsigned i = 0; i < 64; ++i) add(fmt::format("_r{}", i), 64, "tagged64");
    for (unsigned i = 0; i < 128; ++i) add(fmt::format("_b{}", i), 64, "tagged64");
    for (unsigned i = 0; i < 32; ++i) add(fmt::format("_pred{}", i), 64, "pred");
    for (const std::string_view name :
         {"hs", "alf2", "c1f1", "cs0_dummy", "cs1_setwd", "cs1_call", "lts0_setwd", "ss"})
        add(fmt::format("_{}", name), 32, name);
    add("_ctpr_rwp", 64, "ctpr_rwp");
    add("_tagged32", 64, "tagged32");
    add("_tagged80", 128, "tagged80");
    add("_cut_zero", 64, "cut_zero");
    add("_cut_two", 64, "cut_two");
    add("pusd_lo", 64, "pusd_lo");
    add("pusd_hi", 64, "pusd_hi");
    add("_signed_tagged32", 64, "signed_tagged32");
    add("_signed_tagged64", 64, "signed_tagged64");
    add("_fake_pf", 64, "pf");
    add("_tagged128", 192, "tagged128");
    return text;
}

std::string feature(std::string_view name, std::string_view content) {
    return fmt::format("<feature name=\"org.mcst.gdb.{}.linux\">{}</feature>", name, content);
}

}  // namespace

std::string target_description(int iset, const std::string& architecture) {
    std::string generic = tagged_types() + predicate_types();
    for (const BitType& type : kGenericTypes) generic += bit_type(type);
    generic += record_types() + registers_of(Feature::Generic) + computed_registers();
    std::string text = "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>";
    text += fmt::format("<architecture>{}</architecture><osabi>GNU/Linux</osabi>", architecture);
    text += feature("e2k", generic) + feature("elbrus-v2", registers_of(Feature::V2));
    if (iset >= 3) text += feature("elbrus-v3", registers_of(Feature::V3));
    constexpr BitType kLoop{"lsr1", 8, "lcnt 0 63"};
    if (iset >= 5) text += feature("elbrus-v5", bit_type(kLoop) + registers_of(Feature::V5));
    if (iset >= 6) text += feature("elbrus-v6", registers_of(Feature::V6));
    return text + "</target>";
}

std::string architecture_name(int iset, unsigned machine) {
    constexpr unsigned k8c = 19, k1cPlus = 20;
    if (machine == k8c && iset == 4) return "elbrus-8c:64";
    if (machine == k1cPlus && iset == 4) return "elbrus-1c+:64";
    return fmt::format("elbrus-v{}:64", std::min(iset, 6));
}

}  // namespace e2k::tools::gdb
