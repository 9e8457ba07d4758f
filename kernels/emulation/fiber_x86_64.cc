#include "kernels/emulation/fiber.h"

// The registers that a call must preserve, then the return address, lie on the stack that waits.
asm(R"(
.text
.globl viaduct_switch_stack
.type viaduct_switch_stack, @function
viaduct_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
.size viaduct_switch_stack, .-viaduct_switch_stack
)");

extern "C" void viaduct_switch_stack(void** save, void* load);

namespace viaduct::emulation {

void prepare_fiber(FiberContext& context, std::span<std::byte> stack, void (*entry)()) {
  constexpr size_t SavedRegisters = 6;
  void** top = reinterpret_cast<void**>(stack.data() + stack.size()) - 8;
  *--top = nullptr;  // the return address of `entry`: it has none
  *--top = reinterpret_cast<void*>(entry);
  for (size_t i = 0; i < SavedRegisters; ++i) *--top = nullptr;
  context.saved = top;
}

void switch_fiber(FiberContext& from, FiberContext& to) {
  viaduct_switch_stack(&from.saved, to.saved);
}

}  // namespace viaduct::emulation
