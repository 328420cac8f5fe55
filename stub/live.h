/* Variables that describe this process and not the program's state: what the kernel, libc or the machine's files have
 * said. A snapshot of the program leaves them out. To be included last, by a unit all of whose variables are such. */
#pragma clang section bss = "cw_live_bss" data = "cw_live_data"
