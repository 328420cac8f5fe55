/* Variables that describe this process and not the program's state: what the kernel, libc or the machine's files have
 * said. A snapshot of the program leaves them out. To be included last, by a unit all of whose variables are such. None
 * of them has an initial value: what is in the second section is saved all the same. */
#if defined(__clang__) /* as all stubs are compiled; tests of single parts also use gcc */
#pragma clang section bss = "cw_live_bss" data = "cw_live_data"
#endif
