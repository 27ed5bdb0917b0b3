/* What an agent in C would do, and a pair of plain ends in C: what our round trips are held against.
 *
 *   responder answer HOST PORT HANDLE TO_LANDMARK TO_AGENT COOKIE    (hexadecimal) answer one timed phase of CLP/1
 *   responder echo                                                   print a port, send back whatever comes to it
 *   responder ping PORT COUNT                                        print COUNT round trips to an echo, in ns
 *   responder load HOST PORT FILE                                    answer many phases: a line of FILE each, as above
 *
 * BLAKE2s is written from RFC 7693.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKET 64

static const uint32_t IV[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
static const uint8_t SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint32_t turned(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void compress(uint32_t h[8], const uint8_t block[64], uint32_t counted, int last) {
    uint32_t v[16], m[16];
    memcpy(m, block, 64); /* little-endian machines only, which the bench says */
    for (int i = 0; i < 8; i++) v[i] = h[i], v[i + 8] = IV[i];
    v[12] ^= counted;
    if (last) v[14] = ~v[14];
    for (int r = 0; r < 10; r++) {
        for (int i = 0; i < 8; i++) {
            int a = i % 4, shift = i < 4 ? 0 : 1;
            int b = 4 + (a + shift) % 4, c = 8 + (a + 2 * shift) % 4, d = 12 + (a + 3 * shift) % 4;
            v[a] += v[b] + m[SIGMA[r][2 * i]], v[d] = turned(v[d] ^ v[a], 16);
            v[c] += v[d], v[b] = turned(v[b] ^ v[c], 12);
            v[a] += v[b] + m[SIGMA[r][2 * i + 1]], v[d] = turned(v[d] ^ v[a], 8);
            v[c] += v[d], v[b] = turned(v[b] ^ v[c], 7);
        }
    }
    for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
}

/* 16 bytes of BLAKE2s over 32 bytes, keyed with 32. */
static void tag(uint8_t out[16], const uint8_t data[32], const uint8_t key[32]) {
    uint32_t h[8];
    uint8_t block[64] = {0};
    memcpy(h, IV, sizeof h);
    h[0] ^= 0x01010000 ^ (32 << 8) ^ 16;
    memcpy(block, key, 32);
    compress(h, block, 64, 0);
    memset(block, 0, 64);
    memcpy(block, data, 32);
    compress(h, block, 96, 1);
    memcpy(out, h, 16);
}

struct phase {
    uint8_t handle[8], to_landmark[32], to_agent[32], cookie[16];
};

static void unhex(uint8_t *out, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++) sscanf(text + 2 * i, "%2hhx", out + i);
}

static void packet(uint8_t out[PACKET], const struct phase *phase, uint8_t kind, const uint8_t round[2], const uint8_t nonce[16]) {
    memset(out, 0, PACKET);
    memcpy(out, "LB\x01", 3);
    out[3] = kind;
    memcpy(out + 4, phase->handle, 8);
    memcpy(out + 12, round, 2);
    memcpy(out + 16, nonce, 16);
    tag(out + 32, out, phase->to_landmark);
}

static int dialled(const char *host, const char *port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    int made = socket(AF_INET, SOCK_DGRAM, 0), room = 4 << 20;
    inet_pton(AF_INET, host, &to.sin_addr);
    setsockopt(made, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(made, (struct sockaddr *)&to, sizeof to)) perror("connect"), exit(1);
    return made;
}

static void answer(const char *host, const char *port, struct phase *phases, size_t count) {
    int own = dialled(host, port);
    uint8_t got[PACKET + 1], out[PACKET], expected[16], none[2] = {0};
    for (size_t i = 0; i < count; i++) {
        packet(out, &phases[i], 1, none, phases[i].cookie);
        send(own, out, PACKET, 0);
        if (count > 1) usleep(200);
    }
    for (;;) {
        struct pollfd waiting = {.fd = own, .events = POLLIN};
        if (poll(&waiting, 1, 300) == 0) {
            /* Nothing for a while: what READY was lost is sent again, as an agent does. */
            for (size_t i = 0; i < count; i++) packet(out, &phases[i], 1, none, phases[i].cookie), send(own, out, PACKET, 0);
            continue;
        }
        if (recv(own, got, sizeof got, 0) != PACKET || memcmp(got, "LB\x01\x02", 4)) continue;
        /* The handle of a phase under load is its number. */
        size_t at = count > 1 ? (size_t)got[4] << 24 | (size_t)got[5] << 16 | (size_t)got[6] << 8 | got[7] : 0;
        if (at >= count || memcmp(got + 4, phases[at].handle, 8)) continue;
        tag(expected, got, phases[at].to_agent);
        if (memcmp(expected, got + 32, 16)) continue;
        packet(out, &phases[at], 3, got + 12, got + 16);
        send(own, out, PACKET, 0);
    }
}

static void echo(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, from;
    socklen_t size = sizeof here;
    int own = socket(AF_INET, SOCK_DGRAM, 0);
    uint8_t got[PACKET];
    bind(own, (struct sockaddr *)&here, size);
    getsockname(own, (struct sockaddr *)&here, &size);
    printf("%d\n", ntohs(here.sin_port)), fflush(stdout);
    for (;;) {
        size = sizeof from;
        ssize_t count = recvfrom(own, got, sizeof got, 0, (struct sockaddr *)&from, &size);
        if (count > 0) sendto(own, got, count, 0, (struct sockaddr *)&from, size);
    }
}

static int64_t now_ns(void) {
    struct timespec read;
    clock_gettime(CLOCK_MONOTONIC_RAW, &read);
    return read.tv_sec * 1000000000LL + read.tv_nsec;
}

static int ping(const char *port, int count) {
    int own = dialled("127.0.0.1", port);
    uint8_t out[PACKET] = {0}, got[PACKET];
    for (int i = 0; i < count; i++) {
        usleep(1000 + rand() % 2000);
        int64_t before = now_ns();
        send(own, out, PACKET, 0);
        recv(own, got, sizeof got, 0);
        printf("%lld\n", (long long)(now_ns() - before));
    }
    return 0;
}

static void read_phase(struct phase *phase, char *const text[4]) {
    unhex(phase->handle, 8, text[0]), unhex(phase->to_landmark, 32, text[1]);
    unhex(phase->to_agent, 32, text[2]), unhex(phase->cookie, 16, text[3]);
}

int main(int count, char **given) {
    if (count == 8 && !strcmp(given[1], "answer")) {
        struct phase phase;
        read_phase(&phase, given + 4);
        answer(given[2], given[3], &phase, 1);
    }
    if (count == 5 && !strcmp(given[1], "load")) {
        static struct phase phases[4096];
        char fields[4][65], *texts[4] = {fields[0], fields[1], fields[2], fields[3]};
        size_t read = 0;
        FILE *file = fopen(given[4], "r");
        while (file && read < 4096 && fscanf(file, "%64s %64s %64s %64s", fields[0], fields[1], fields[2], fields[3]) == 4)
            read_phase(&phases[read++], texts);
        answer(given[2], given[3], phases, read);
    }
    if (count == 2 && !strcmp(given[1], "echo")) echo();
    if (count == 4 && !strcmp(given[1], "ping")) return ping(given[2], atoi(given[3]));
    fprintf(stderr, "responder: answer, load, echo or ping\n");
    return 2;
}
