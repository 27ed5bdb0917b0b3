/* Stands in for libnvidia-ml.so.1 in tests: as much of its interface as is asked for evidence, and ways to fail. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef INIT
#define INIT 0
#endif
#ifndef REPORT
#define REPORT 0
#endif
#ifndef REPORT_SIZE
#define REPORT_SIZE 64
#endif
#ifndef ARCHITECTURE
#define ARCHITECTURE 9
#endif
#ifndef CONFIDENTIAL
#define CONFIDENTIAL 1
#endif
#ifndef PROTECTED
#define PROTECTED 0
#endif

typedef struct {
    unsigned int has_cec, size, cec_size;
    unsigned char nonce[0x20], report[0x2000], cec[0x1000];
} report_t;
typedef struct {
    unsigned int own_size, size;
    unsigned char own[0x1000], chain[0x1400];
} certificates_t;
typedef struct {
    unsigned int environment, on, developer;
} state_t;
typedef struct {
    unsigned int version, environment, on, developer, multi;
} settings_t;

static char devices[2];

int nvmlInit_v2(void) {
#ifdef HANG
    for (;;) pause();
#endif
#ifdef CRASH
    raise(SIGSEGV);
#endif
#ifdef FLOOD
    for (;;) puts("a library that writes");
#endif
#ifdef CHATTER
    puts("a library that writes");
    fflush(stdout);
#endif
    return INIT;
}
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 3 ? "Not Supported" : "words of the library"; }
int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    strncpy(version, "570.1", length);
    return 0;
}
int nvmlDeviceGetCount_v2(unsigned int *count) { return *count = 2, 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    if (index > 1) return 2;
    *device = devices + index;
    return 0;
}
int nvmlDeviceGetArchitecture(void *device, unsigned int *architecture) {
    if ((char *)device < devices || (char *)device > devices + 1) return 2;
    return *architecture = ARCHITECTURE, 0;
}
int nvmlSystemGetConfComputeState(state_t *state) { return state->on = CONFIDENTIAL, 0; }
int nvmlSystemGetConfComputeSettings(settings_t *settings) {
    if (settings->version != (sizeof *settings | 1 << 24)) return 25;
    return settings->multi = PROTECTED, 0;
}
#ifndef OLD
int nvmlDeviceGetConfComputeGpuAttestationReport(void *device, report_t *report) {
    static const unsigned char request[] = {0x11, 0xe0, 0x01, 0xff};
    if (REPORT) return REPORT;
    memcpy(report->report, request, 4);
    memcpy(report->report + 4, report->nonce, 32);
    report->report[37] = (unsigned char)((char *)device - devices);
    report->size = REPORT_SIZE;
    return 0;
}
#endif
int nvmlDeviceGetConfComputeGpuCertificate(void *device, certificates_t *certificates) {
    certificates->size = (unsigned int)snprintf((char *)certificates->chain, sizeof certificates->chain, "chain %d",
                                                (int)((char *)device - devices)) + 1;
    certificates->own_size = 0;
    return 0;
}
