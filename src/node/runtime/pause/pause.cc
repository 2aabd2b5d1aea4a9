// The first process of every pod: it holds the pod's namespaces, collects orphans where the pod shares one process
// namespace, and ends on SIGTERM or SIGINT. Freestanding: no libc, so that a hundred of them cost next to nothing.
// Signals stay blocked and are waited for, which needs no handlers (process 1 ignores what it does not handle).

namespace {

#if defined(__x86_64__)
enum Call : long { kSigprocmask = 14, kExit = 60, kWait4 = 61, kSigtimedwait = 128 };

long call(long number, long a, long b, long c, long d) {
  long result;
  register long fourth asm("r10") = d;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
enum Call : long { kSigprocmask = 135, kExit = 93, kWait4 = 260, kSigtimedwait = 137 };

long call(long number, long a, long b, long c, long d) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#else
#error "write the four system calls for this processor"
#endif

constexpr long kSigInt = 2, kSigTerm = 15, kSigChild = 17;
constexpr long kWnohang = 1, kSigBlock = 0, kSetBytes = 8;

constexpr unsigned long bit(long signal) { return 1UL << (signal - 1); }

}  // namespace

extern "C" [[noreturn]] void _start() {
  const unsigned long signals = bit(kSigInt) | bit(kSigTerm) | bit(kSigChild);
  call(kSigprocmask, kSigBlock, reinterpret_cast<long>(&signals), 0, kSetBytes);
  for (;;) {
    const long signal = call(kSigtimedwait, reinterpret_cast<long>(&signals), 0, 0, kSetBytes);
    if (signal == kSigInt || signal == kSigTerm) call(kExit, 0, 0, 0, 0);
    while (call(kWait4, -1, 0, kWnohang, 0) > 0) {
    }
  }
}
