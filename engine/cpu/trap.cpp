#include "engine/cpu/trap.h"

namespace e2k::cpu {

const char* name_of(TrapCode code) {
    switch (code) {
        case TrapCode::IllegalOpcode:
            return "exc_illegal_opcode";
        case TrapCode::PrivilegedAction:
            return "exc_priv_action";
        case TrapCode::FpDisabled:
            return "exc_fp_disabled";
        case TrapCode::DiagCtCond:
            return "exc_diag_ct_cond";
        case TrapCode::DiagInstrAddr:
            return "exc_diag_instr_addr";
        case TrapCode::IllegalInstrAddr:
            return "exc_illegal_instr_addr";
        case TrapCode::WindowBounds:
            return "exc_window_bounds";
        case TrapCode::UserStackBounds:
            return "exc_user_stack_bounds";
        case TrapCode::ProcStackBounds:
            return "exc_proc_stack_bounds";
        case TrapCode::ChainStackBounds:
            return "exc_chain_stack_bounds";
        case TrapCode::DiagCond:
            return "exc_diag_cond";
        case TrapCode::DiagOperand:
            return "exc_diag_operand";
        case TrapCode::IllegalOperand:
            return "exc_illegal_operand";
        case TrapCode::ArrayBounds:
            return "exc_array_bounds";
        case TrapCode::AddressNotAligned:
            return "exc_addr_not_aligned";
        case TrapCode::InstrPageMiss:
            return "exc_instr_page_miss";
        case TrapCode::InstrPageProtection:
            return "exc_instr_page_prot";
        case TrapCode::BaseNotAligned:
            return "exc_base_not_aligned";
        case TrapCode::SoftwareTrap:
            return "exc_software_trap";
        case TrapCode::DataPage:
            return "exc_data_page";
        case TrapCode::Division:
            return "exc_div";
        case TrapCode::FloatingPoint:
            return "exc_fp";
        case TrapCode::Breakpoint:
            return "breakpoint";
        case TrapCode::Unsupported:
            return "unsupported operation";
        case TrapCode::None:
            return "none";
    }
    return "unknown trap";
}

}  // namespace e2k::cpu
