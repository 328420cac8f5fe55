#define _GNU_SOURCE 1
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

enum { LONGEST = 2048 };

struct line {
    char text[LONGEST];
    size_t size;
};

static void add(struct line *line, const char *text, size_t size)
{
    size_t room = LONGEST - 1 - line->size; /* the last place is the newline's */
    if (size > room)
        size = room;
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

static void add_formatted(struct line *line, const char *format, va_list arguments)
{
    while (*format) {
        size_t plain = strcspn(format, "%");
        add(line, format, plain);
        format += plain;
        if (format[0] == '%' && format[1] == 's') {
            const char *text = va_arg(arguments, const char *);
            add(line, text ? text : "?", strlen(text ? text : "?"));
            format += 2;
        } else if (format[0] == '%') {
            add(line, "%", 1);
            format += format[1] == '%' ? 2 : 1;
        }
    }
}

static void say(const char *path, const char *format, va_list arguments)
{
    struct line line = {.size = 0};
    const char *name = path ? strrchr(path, '/') : NULL;
    name = name ? name + 1 : path ? path : "coachwhip";
    add(&line, name, strlen(name));
    add(&line, ": ", 2);
    add_formatted(&line, format, arguments);
    line.text[line.size++] = '\n';
    const char *at = line.text;
    while (line.size) {
        ssize_t written = write(STDERR_FILENO, at, line.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nobody listens */
        at += written;
        line.size -= (size_t)written;
    }
}

void cw_say(const char *path, const char *format, ...)
{
    int before = errno;
    va_list arguments;
    va_start(arguments, format);
    say(path, format, arguments);
    va_end(arguments);
    errno = before;
}

void cw_die(int status, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(path, format, arguments);
    va_end(arguments);
    _exit(status);
}
