/* longlink: one link between two network namespaces, with a round trip and a rate.
 *
 *   longlink NAMESPACE NAMESPACE ROUND_TRIP_MS MBIT_PER_SECOND QUEUE_KIB
 *
 * Makes the TUN device "link0" in each namespace (names as of ip-netns(8)), says "ready", and carries packets between them until SIGINT or SIGTERM; then the
 * devices are gone. Each way is a serialisation clock (a packet leaves when those before it have left and its own octets are sent at the rate), then half the
 * round trip. A packet that finds the queue in front of the clock full is dropped, as a router drops it.
 *
 * Packets come whole as the kernel makes them, up to 64 KiB with a virtio header that says how to cut them (TSO), and go out as they came: two system calls for
 * forty-five packets of an Ethernet. The clock counts what they would be on the wire: each piece with its headers and the frame around it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LARGEST_PACKET (sizeof(struct virtio_net_hdr) + 65536)
#define FRAME_OCTETS 38        /* Ethernet: preamble, header, check sequence, gap */
#define STORE_OCTETS (96 << 20) /* of each way: what is queued and what is on its way */
#define NS_PER_S 1000000000ULL

struct packet {
	uint64_t due;     /* when it arrives, ns */
	uint64_t leaves;  /* when its last octet is sent, ns */
	uint32_t wire;    /* octets on the wire */
	uint32_t length;  /* of what follows; 0: nothing does, go on at the store's start */
};

/* One direction: a ring of packets in order, read from one device, written to the other. */
struct way {
	int from, to;
	char *store;
	size_t head, tail;      /* where the oldest is, where the next goes */
	size_t sending;         /* the oldest that is not sent whole yet */
	uint64_t free_at;       /* when the clock has sent everything, ns */
	uint64_t queued;        /* octets in front of the clock */
	uint64_t packets, octets, dropped, late;
};

static volatile sig_atomic_t stopped;

static void stop(int signal) { (void)signal; stopped = 1; }

static void fail(const char *what)
{
	fprintf(stderr, "longlink: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * NS_PER_S + at.tv_nsec;
}

/* A TUN device belongs to the namespace it was made in; its file works from everywhere. */
static int make_device(const char *namespace)
{
	char path[256];
	snprintf(path, sizeof path, "/var/run/netns/%s", namespace);
	int inside = open(path, O_RDONLY | O_CLOEXEC);
	if (inside < 0 || setns(inside, CLONE_NEWNET) < 0)
		fail(path);
	close(inside);

	int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (device < 0)
		fail("/dev/net/tun");
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	strcpy(request.ifr_name, "link0");
	if (ioctl(device, TUNSETIFF, &request) < 0)
		fail("TUNSETIFF link0");
	if (ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)
		fail("TUNSETOFFLOAD");
	return device;
}

/* Octets of the packet's IP and TCP headers. */
static uint32_t header_octets(const uint8_t *packet)
{
	uint32_t ip = packet[0] >> 4 == 6 ? 40 : (packet[0] & 15) * 4;
	return ip + (packet[ip + 12] >> 4) * 4;
}

static uint32_t wire_octets(const char *data, uint32_t length)
{
	struct virtio_net_hdr cut;
	memcpy(&cut, data, sizeof cut);
	uint32_t octets = length - sizeof cut;
	if (cut.gso_type == VIRTIO_NET_HDR_GSO_NONE || cut.gso_size == 0 || octets < 80)
		return octets + FRAME_OCTETS;
	uint32_t headers = header_octets((const uint8_t *)data + sizeof cut), payload = octets - headers;
	uint32_t pieces = (payload + cut.gso_size - 1) / cut.gso_size;
	return payload + pieces * (headers + FRAME_OCTETS);
}

static struct packet *at(struct way *way, size_t *place)
{
	struct packet *packet = (struct packet *)(way->store + *place);
	if (*place != way->tail && packet->length == 0) {
		*place = 0;
		packet = (struct packet *)way->store;
	}
	return *place == way->tail ? NULL : packet;
}

static size_t span(size_t length) { return (sizeof(struct packet) + length + 15) & ~(size_t)15; }

/* Room for the largest packet at the tail, or NULL. The store is never filled to the last octet, so that equal ends mean empty. */
static struct packet *room(struct way *way)
{
	const size_t needed = sizeof(struct packet) + LARGEST_PACKET + sizeof(struct packet) + 32;
	if (way->head > way->tail)
		return way->head - way->tail > needed ? (struct packet *)(way->store + way->tail) : NULL;
	if (STORE_OCTETS - way->tail > needed)
		return (struct packet *)(way->store + way->tail);
	if (way->head <= needed)
		return NULL;
	((struct packet *)(way->store + way->tail))->length = 0;
	way->tail = 0;
	return (struct packet *)way->store;
}

static void leave_queue(struct way *way, uint64_t now)
{
	struct packet *packet;
	while ((packet = at(way, &way->sending)) && packet->leaves <= now) {
		way->queued -= packet->wire;
		way->sending += span(packet->length);
	}
}

static void take(struct way *way, uint64_t delay, uint64_t rate, uint64_t most)
{
	static char lost[LARGEST_PACKET];
	for (int i = 0; i < 64; i++) {
		struct packet *packet = room(way);
		char *data = packet ? (char *)(packet + 1) : lost;
		ssize_t length = read(way->from, data, LARGEST_PACKET);
		if (length <= 0)
			return;
		uint64_t now = now_ns();
		leave_queue(way, now);
		uint32_t wire = wire_octets(data, length);
		if (!packet || way->queued + wire > most) {
			way->dropped++;
			continue;
		}
		way->free_at = (way->free_at > now ? way->free_at : now) + wire * 8 * NS_PER_S / rate;
		*packet = (struct packet){ way->free_at + delay, way->free_at, wire, length };
		way->queued += wire;
		way->tail += span(length);
	}
}

static void deliver(struct way *way, uint64_t now)
{
	struct packet *packet;
	while ((packet = at(way, &way->head)) && packet->due <= now) {
		if (write(way->to, packet + 1, packet->length) != (ssize_t)packet->length)
			way->dropped++;
		way->packets++;
		way->octets += packet->wire;
		way->late = now - packet->due > way->late ? now - packet->due : way->late;
		leave_queue(way, now); /* what arrives has left: the queue's end never falls behind the store's */
		way->head += span(packet->length);
	}
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);
	if (*end || value == 0) {
		fprintf(stderr, "longlink: \"%s\" is not a number above 0\n", text);
		exit(2);
	}
	return value;
}

int main(int count, char **arguments)
{
	if (count != 6) {
		fprintf(stderr, "usage: longlink NAMESPACE NAMESPACE ROUND_TRIP_MS MBIT_PER_SECOND QUEUE_KIB\n");
		return 2;
	}
	uint64_t delay = number(arguments[3]) * 1000000 / 2, rate = number(arguments[4]) * 1000000, most = number(arguments[5]) * 1024;
	int left = make_device(arguments[1]), right = make_device(arguments[2]);
	struct way ways[2] = { { .from = left, .to = right }, { .from = right, .to = left } };
	for (int i = 0; i < 2; i++)
		if (!(ways[i].store = malloc(STORE_OCTETS)))
			fail("memory");

	struct sigaction action = { .sa_handler = stop };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_TIMERSLACK, 1000);
	struct sched_param first = { .sched_priority = 1 };
	sched_setscheduler(0, SCHED_RR, &first); /* a link does not wait for a processor; where that is not allowed it is less even */
	printf("ready\n");
	fflush(stdout);

	while (!stopped) {
		uint64_t next = UINT64_MAX;
		for (int i = 0; i < 2; i++) {
			struct packet *packet = at(&ways[i], &ways[i].head);
			if (packet && packet->due < next)
				next = packet->due;
		}
		uint64_t now = now_ns(), wait = next > now ? next - now : 0;
		struct timespec limit = { wait / NS_PER_S, wait % NS_PER_S };
		struct pollfd files[2] = { { left, POLLIN, 0 }, { right, POLLIN, 0 } };
		if (ppoll(files, 2, next == UINT64_MAX ? NULL : &limit, NULL) < 0 && errno != EINTR)
			fail("ppoll");
		for (int i = 0; i < 2; i++)
			if (files[i].revents)
				take(&ways[i], delay, rate, most);
		now = now_ns();
		for (int i = 0; i < 2; i++)
			deliver(&ways[i], now);
	}

	struct timespec cpu;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	for (int i = 0; i < 2; i++)
		printf("%s packets=%" PRIu64 " octets=%" PRIu64 " dropped=%" PRIu64 " latest=%" PRIu64 "us\n",
			i ? "back" : "out", ways[i].packets, ways[i].octets, ways[i].dropped, ways[i].late / 1000);
	printf("cpu=%ld.%02lds\n", (long)cpu.tv_sec, cpu.tv_nsec / 10000000);
	return 0;
}
