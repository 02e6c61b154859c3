#!/bin/sh
# Counts the lines of code in src: neither blank nor a comment, and no tests.
#
#   scripts/code-lines.sh           the total
#   scripts/code-lines.sh --rooms   one line for each room, then the total
#   scripts/code-lines.sh --help    this text
#
# Not counted: files under tests/ and examples/, tests.rs and *_tests.rs, the stand-in for kqueue,
# and in other files everything from a "#[cfg(test)] mod tests {" to the end of the file, where
# these modules are. An attribute on its own line counts. Only tracked files are looked at.

set -eu
cd "$(dirname "$0")/.."
by_room=0
case ${1:-} in
  '') ;;
  --rooms) by_room=1 ;;
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "usage: scripts/${0##*/} [--rooms]" >&2; exit 2 ;;
esac

git ls-files 'src/*.rs' |
  grep -v -e '/tests/' -e '/examples/' -e '/tests\.rs$' -e '_tests\.rs$' -e '/kqueue_stand_in' |
  xargs awk -v by_room="$by_room" '
    FNR == 1 {
      in_tests = attribute = 0
      split(FILENAME, part, "/")
      room = part[2] ~ /\.rs$/ ? "lib.rs" : part[2]
    }
    in_tests { next }
    # Held back until the next line shows whether the tests begin here.
    /^#\[cfg\(test\)\]$/ { attribute = 1; next }
    attribute && /^(pub(\([a-z]+\))? )?mod [a-z_]+ \{$/ { in_tests = 1; next }
    { lines[room] += attribute; total += attribute; attribute = 0 }
    /^[ \t]*$/ || /^[ \t]*\/\// { next }
    { lines[room]++; total++ }
    END {
      if (by_room) for (room in lines) printf "%6d %s\n", lines[room], room | "sort -k 2"
      close("sort -k 2")
      printf "%6d\n", total
    }' | sed 's/^ *\([0-9]*\)$/\1/'
