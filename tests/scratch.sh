#!/bin/sh
# Where the tests of `make test` write: a folder in memory, or, where that cannot be had, the project's.
# usage: scratch.sh MEMORY PROJECT, two folders, of which it makes the first and tells one
#
# Tests make and remove a hundred thousand small files. On a disk that takes ten times as long: for each new one ext4
# looks past every other that was removed in the last seconds.
memory=$1
room=4000000 # kB of the file system, and twice as many of the machine

can_be_had() {
    [ "$(stat --file-system --format=%T "$(dirname "$memory")")" = tmpfs ] &&
        [ "$(df --output=avail "$(dirname "$memory")" | tail -n 1)" -gt $room ] &&
        [ "$(free_memory)" -gt $((2 * room)) ] &&
        mkdir -p -m 700 "$memory" && [ -O "$memory" ] && [ ! -L "$memory" ] && runs_programs
}

# Some tests write a command, and run it.
runs_programs() {
    program=$memory/program
    printf '#!/bin/sh\n' >"$program" && chmod +x "$program" && "$program"
    ran=$?
    rm -f "$program"
    return $ran
}

# kB that are free, or that a container may take at the most.
free_memory() {
    available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
    most=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
    [ "$most" != max ] && [ $((most / 1024)) -lt "$available" ] && available=$((most / 1024))
    echo "$available"
}

if can_be_had 2>/dev/null; then
    echo "$memory"
else
    rmdir "$memory" 2>/dev/null
    echo "$2"
fi
