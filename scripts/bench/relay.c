/* relay.c: the least a chat server can do, to measure real ones against.
 *
 *     cc -O2 -o relay relay.c && ./relay [PORT]       (default 7778; 0 picks one)
 *
 * One turn: wait; one recv per ready client into the turn's buffer; one send per client of all
 * that came in the turn but its own bytes. The own bytes of a sender are one stretch of the
 * buffer, so it gets the two halves around them, still in one system call. What a socket does not
 * take is copied to a plain buffer of that client and goes out first when there is room again.
 *
 * What it does not do is what a chat server is for: no lines (a message that arrives in pieces
 * is split), no names, no notices, no limits, no timers, no protection against a reader that never
 * reads (its buffer grows), no thought for fairness. It is a floor and no model.
 *
 * epoll on Linux, poll elsewhere. Prints "listening on PORT" when ready; ends on SIGTERM. */

#ifdef __linux__
#define _GNU_SOURCE
#include <sys/epoll.h>
#else
#include <poll.h>
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    MOST_CLIENTS = 65536,      /* by descriptor number */
    TURN = 1024 * 1024,        /* bytes relayed in one turn */
    PIECE = 16 * 1024,         /* bytes of one recv */
    EVENTS = 1024
};

struct client {
    char *unsent; /* what the socket did not take, or NULL */
    size_t from, to, room;
    int place;         /* in `present` */
    size_t own, own_end; /* its bytes in this turn's buffer */
};

static struct client *clients[MOST_CLIENTS]; /* by descriptor; allocated on accept */
static int present[MOST_CLIENTS];            /* descriptors of the clients that are there */
static int count;
static char turn[TURN];
static size_t filled;

/* -- waiting: the only part that differs between systems ---------------------------------- */

static void fail(const char *what) { perror(what); exit(1); }

#ifdef __linux__
static int queue;
static void watch(int fd, int first, int writes) {
    struct epoll_event event = { .events = EPOLLIN | (writes ? EPOLLOUT : 0), .data.fd = fd };
    if (epoll_ctl(queue, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0) fail("epoll_ctl");
}
static void unwatch(int fd) { epoll_ctl(queue, EPOLL_CTL_DEL, fd, NULL); }
#else
static struct pollfd watched[MOST_CLIENTS];
static int watched_count, watched_place[MOST_CLIENTS];
static void watch(int fd, int first, int writes) {
    if (first) watched_place[fd] = watched_count++;
    watched[watched_place[fd]].fd = fd;
    watched[watched_place[fd]].events = POLLIN | (writes ? POLLOUT : 0);
}
static void unwatch(int fd) {
    int place = watched_place[fd];
    watched[place] = watched[--watched_count];
    watched_place[watched[place].fd] = place;
}
#endif

/* -- clients ------------------------------------------------------------------------------- */

static void leave(int fd) {
    struct client *client = clients[fd];
    unwatch(fd);
    close(fd);
    present[client->place] = present[--count];
    clients[present[client->place]]->place = client->place;
    clients[fd] = NULL;
    free(client->unsent);
    free(client);
}

static void enter(int listener) {
    int one = 1, fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        if (fd >= MOST_CLIENTS) { close(fd); continue; }
        fcntl(fd, F_SETFL, O_NONBLOCK);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!(clients[fd] = calloc(1, sizeof(struct client)))) fail("calloc");
        clients[fd]->place = count;
        present[count++] = fd;
        watch(fd, 1, 0);
    }
}

/* Keeps what the socket did not take. */
static void keep(int fd, const char *bytes, size_t length) {
    struct client *client = clients[fd];
    if (!length) return;
    if (client->from == client->to) {
        client->from = client->to = 0;
        watch(fd, 0, 1);
    }
    if (client->to + length > client->room) {
        client->room = 2 * (client->to + length);
        if (!(client->unsent = realloc(client->unsent, client->room))) fail("realloc");
    }
    memcpy(client->unsent + client->to, bytes, length);
    client->to += length;
}

/* 0 if the client is gone. */
static int take_rest(int fd) {
    struct client *client = clients[fd];
    ssize_t sent = send(fd, client->unsent + client->from, client->to - client->from, 0);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    client->from += (size_t)sent;
    if (client->from == client->to) {
        free(client->unsent);
        client->unsent = NULL;
        client->from = client->to = client->room = 0;
        watch(fd, 0, 0);
    }
    return 1;
}

/* 0 if the client is gone. */
static int hear(int fd) {
    struct client *client = clients[fd];
    ssize_t got = recv(fd, turn + filled, PIECE, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return 0;
    client->own = filled;
    client->own_end = filled += (size_t)got;
    return 1;
}

/* This turn's bytes but its own, in one system call. 0 if the client is gone. */
static int tell(int fd) {
    struct client *client = clients[fd];
    struct iovec half[2] = {
        { turn, client->own },
        { turn + client->own_end, filled - client->own_end }
    };
    ssize_t sent = 0;
    client->own = client->own_end = 0;
    if (client->from == client->to) { /* nothing waits before it */
        if (!half[0].iov_len && !half[1].iov_len) return 1;
        if (!half[0].iov_len) sent = send(fd, half[1].iov_base, half[1].iov_len, 0);
        else if (!half[1].iov_len) sent = send(fd, half[0].iov_base, half[0].iov_len, 0);
        else sent = writev(fd, half, 2);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return 0;
        if (sent < 0) sent = 0;
    }
    for (int i = 0; i < 2; i++) {
        size_t done = (size_t)sent < half[i].iov_len ? (size_t)sent : half[i].iov_len;
        keep(fd, (char *)half[i].iov_base + done, half[i].iov_len - done);
        sent -= (ssize_t)done;
    }
    return 1;
}

/* -- the turn ------------------------------------------------------------------------------- */

static void attend(int fd, int listener, int readable, int writable) {
    if (fd == listener) { enter(listener); return; }
    if (!clients[fd]) return;
    if (writable && clients[fd]->from < clients[fd]->to && !take_rest(fd)) { leave(fd); return; }
    /* A full turn leaves the rest to the next one: the poller will say it again. */
    if (readable && filled + PIECE <= TURN && !hear(fd)) leave(fd);
}

static int listen_on(int port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    socklen_t length = sizeof address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0) fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, length) < 0) fail("bind");
    if (listen(listener, 4096) < 0) fail("listen");
    fcntl(listener, F_SETFL, O_NONBLOCK);
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv) {
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 7778);
#ifdef __linux__
    static struct epoll_event events[EVENTS];
    if ((queue = epoll_create1(0)) < 0) fail("epoll_create1");
#endif
    watch(listener, 1, 0);
    for (;;) {
#ifdef __linux__
        int ready = epoll_wait(queue, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            unsigned what = events[i].events;
            attend(events[i].data.fd, listener, what & (EPOLLIN | EPOLLHUP | EPOLLERR),
                   what & EPOLLOUT);
        }
#else
        if (poll(watched, (nfds_t)watched_count, -1) > 0)
            for (int i = watched_count - 1; i >= 0; i--) /* leave() moves the last one */
                if (watched[i].revents)
                    attend(watched[i].fd, listener, watched[i].revents & ~POLLOUT,
                           watched[i].revents & POLLOUT);
#endif
        if (!filled) continue;
        for (int i = count - 1; i >= 0; i--) /* leave() moves the last one to the hole */
            if (!tell(present[i])) leave(present[i]);
        filled = 0;
    }
}
