/* Adds an instrumented program's counters to a file when the program ends.
 *
 * The compiler's own profile runtime is not part of the zig distribution. All that a build needs of it is
 * the sum of the counters over many processes; function names and hashes are read from the executable
 * (see profile.py). The file is an array of unsigned 64-bit counters in the order of __llvm_prf_cnts. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

extern uint64_t __start___llvm_prf_cnts[];
extern uint64_t __stop___llvm_prf_cnts[];

static void add_counters(int descriptor)
{
    size_t count = (size_t)(__stop___llvm_prf_cnts - __start___llvm_prf_cnts);
    size_t size = count * sizeof(uint64_t);
    if (ftruncate(descriptor, (off_t)size) != 0)
        return;
    uint64_t *sums = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (sums == MAP_FAILED)
        return;
    for (size_t i = 0; i < count; i++)
        sums[i] += __start___llvm_prf_cnts[i];
    munmap(sums, size);
}

__attribute__((destructor)) static void write_profile(void)
{
    const char *path = getenv("COACHWHIP_PROFILE");
    if (path == NULL)
        return;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return;
    if (flock(descriptor, LOCK_EX) == 0)
        add_counters(descriptor);
    close(descriptor);
}
