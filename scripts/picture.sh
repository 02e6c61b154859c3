#!/bin/sh
# The README's picture: a real chat in three real terminals, drawn as an SVG.
#
# Runs the server, chatloop-client and nc in separate terminals (tmux), types a short chat, and draws
# the final screens. Run it again when the output has changed.
#
#   scripts/picture.sh > docs/picture.svg
#   scripts/picture.sh --help                show this help
#
# Needs tmux and nc, and port 7777 must be free.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
no_arguments "$@"

COLUMNS_WIDE=78

for tool in tmux nc; do
  command -v "$tool" >/dev/null || die "$tool is needed"
done
build
case $bin in
  /*) ;;
  *) bin=$PWD/$bin ;;
esac

terminal() {
  tmux -S "$workdir/tmux" -f /dev/null "$@"
}
trap 'terminal kill-server 2>/dev/null; cleanup' EXIT

# sees NAME TEXT: waits until the screen shows it.
sees() {
  tenths=0
  until terminal capture-pane -p -t "$1" | grep -qF -- "$2"; do
    tenths=$((tenths + 1))
    [ "$tenths" -lt 100 ] || die "the $1 never showed '$2': $(terminal capture-pane -p -t "$1")"
    sleep 0.1
  done
}
# open NAME ROWS: a terminal with a plain shell in it.
open() {
  terminal new-session -d -s "$1" -x "$COLUMNS_WIDE" -y "$2" \
    "env PS1='\$ ' PATH='$bin':\"\$PATH\" sh" || die "no terminal"
  sees "$1" '$'
}
type_into() {
  terminal send-keys -t "$1" -l "$2"
}
enter() {
  type_into "$1" "$2"
  terminal send-keys -t "$1" Enter
}

open server 8
enter server chatloop-server
sees server 'listening on'
open client 10
enter client 'chatloop-client --nick ada'
sees client 'you joined #lobby'
open nc 6
enter nc 'nc 127.0.0.1 7777'
sees nc 'connected as '
enter client 'hello! who is there?'
sees nc 'hello! who is there?'
enter nc 'me, with plain old netcat'
sees client 'plain old netcat'
type_into client 'this line is only half ty'
sees client 'half ty'
enter nc 'go on typing, I will not disturb you'
sees client 'not disturb'
sees server 'not disturb'

for name in server client nc; do
  # A form feed stands between the screens.
  terminal capture-pane -e -p -t "$name"
  printf '\f%s\n' "$(terminal display -p -t "$name" '#{cursor_x} #{cursor_y}')"
done >"$workdir/screens"

awk -v columns="$COLUMNS_WIDE" '
  BEGIN {
    split("#3b4048 #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #abb2bf", palette, " ")
    split("the server|the terminal client|netcat", title, "|")
    cell = 8.4; line = 19; width = int(columns * cell) + 32; top = 0; screen = 1; row = 0
    reset()
  }
  function reset() { colour = "#d7dae0"; bold = 0; dim = 0 }
  # The colours and weights that these programs use; other attributes are ignored.
  function attribute(code) {
    if (code == "" || code == 0) reset()
    else if (code == 1) bold = 1
    else if (code == 2) dim = 1
    else if (code == 22) { bold = 0; dim = 0 }
    else if (code >= 30 && code <= 37) colour = palette[code - 29]
    else if (code >= 90 && code <= 97) colour = palette[code - 89]
    else if (code == 39) colour = "#d7dae0"
  }
  function escaped(text) {
    gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text)
    return text
  }
  function run(text) {
    if (text == "") return ""
    return "<tspan fill=\"" colour "\"" (bold ? " font-weight=\"bold\"" : "") \
      (dim ? " opacity=\"0.6\"" : "") ">" escaped(text) "</tspan>"
  }
  function draw(text,    out, codes, count, i) {
    out = ""
    while (match(text, /\033\[[0-9;]*m/)) {
      out = out run(substr(text, 1, RSTART - 1))
      count = split(substr(text, RSTART + 2, RLENGTH - 3), codes, ";")
      if (count == 0) reset()
      for (i = 1; i <= count; i++) attribute(codes[i])
      text = substr(text, RSTART + RLENGTH)
    }
    return out run(text)
  }
  /^\f/ {
    cursor = substr($0, 2); split(cursor, at, " ")
    y = top + 44 + at[2] * line
    body = body sprintf("<rect x=\"%.1f\" y=\"%d\" width=\"8\" height=\"17\" fill=\"#d7dae0\" opacity=\"0.5\"/>\n", 16 + at[1] * cell, y)
    height = 48 + row * line
    frames = frames sprintf("<rect x=\"0.5\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#21252b\" stroke=\"#4b5263\"/>\n", top + 0.5, width - 1, height)
    frames = frames sprintf("<text x=\"16\" y=\"%d\" fill=\"#7f848e\" font-size=\"12\">%s</text>\n", top + 22, title[screen])
    top += height + 12; screen++; row = 0; reset()
    next
  }
  {
    body = body sprintf("<text x=\"16\" y=\"%d\" xml:space=\"preserve\">%s</text>\n", top + 58 + row * line, draw($0))
    row++
  }
  END {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-family=\"ui-monospace, Menlo, Consolas, \x27DejaVu Sans Mono\x27, monospace\" font-size=\"14\" role=\"img\">\n", width, top - 11, width, top - 11
    print "<title>Three terminals: the server, the terminal client with a half-typed line, and nc</title>"
    printf "%s%s</svg>\n", frames, body
  }
' "$workdir/screens"
