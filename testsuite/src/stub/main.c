/* Runs the calls of `calls[]` (a generated table) and prints how each ended, one line per call.
 * Each line is flushed, so that a crash leaves the number of the call that crashed. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "calls.h"

int main(void) {
    for (unsigned n = 0; n < sizeof calls / sizeof calls[0]; n++) {
        asr_stub_run(&calls[n]);
        printf("%u %" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIx64 " %" PRIu64 " %" PRIu64 "\n", n,
               calls[n].value, calls[n].status, calls[n].probes, calls[n].fault, calls[n].live,
               calls[n].suspensions);
        fflush(stdout);
    }
    return 0;
}
