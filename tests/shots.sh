#!/usr/bin/env bash
# Pictures of the cockpit in a real terminal, and what has to be true of each of them. They are kept in
# the folder that is named, to be looked at: tests/shots.sh [FOLDER]
#
# Needs tui-shot (named by TUI_SHOT), tmux, python3 with pillow, fonts-dejavu-core;
# where one is missing it says which and passes.
set -uo pipefail
cd "$(dirname "$0")/.."

# What is run, and what ends the swarm that lives on behind it.
RUN=${RUN:-target/release/hive}
END=${END:-target/release/hive ctl stop}

shot=${TUI_SHOT:-}
skip() { echo "skipped: $*"; exit 0; }
[ -x "$shot" ] || skip "TUI_SHOT names no program that takes pictures of a terminal"
command -v tmux >/dev/null || skip "there is no tmux (apt-get install tmux)"
python3 -c 'import PIL' 2>/dev/null || skip "python has no pillow (pip install pillow)"
[ -e /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf ] || skip "there are no fonts-dejavu-core"
[ -x "${RUN%% *}" ] || skip "${RUN%% *} is not built"

out=${1:-$(mktemp -d)}
mkdir -p "$out"
home=$(mktemp -d)
export HIVE_STATE="$home/state" XDG_STATE_HOME="$home" XDG_RUNTIME_DIR="$home/run" NO_COLOR=
mkdir -p -m 700 "$XDG_RUNTIME_DIR"
# The next picture is of a swarm that nobody has commanded yet.
end() { $END >/dev/null 2>&1; rm -rf "$HIVE_STATE"; }
trap 'end; rm -rf "$home"' EXIT
bad=0
fail() { echo "FAILED $1: $2"; bad=1; }

# Every picture: the mode, agents or a mark that there are more, no number that was cut.
look() {
    local text=$1
    grep -qE 'SYNTH|HISTORY|PAPER|LIVE' "$text" || fail "$text" "no mode word in the header"
    grep -qE '[●✕‖⊘○▽◌⊗◍] [◆▶●■◇▬✦○] |[↕↓↑]|scroll' "$text" || fail "$text" "no agent row and no scroll mark"
    if grep -nE '[0-9],[0-9]{0,2}…|[0-9]…[▲▼]?( |$)' "$text" | grep -vE '#[0-9]+…|#[0-9, #]+…'; then
        fail "$text" "a number was cut"
    fi
}

says() { grep -qE "$2" "$1" || fail "$1" "does not say $2"; }

market_time() { grep -oE '20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}' "$1" | head -1; }

for theme in terminal hive-dark; do
    for size in 160x48 100x30 80x24; do
        name="$out/$theme-$size"
        # shellcheck disable=SC2086
        HIVE_THEME=$theme "$shot" "$name.png" --cols "${size%x*}" --rows "${size#*x}" --wait 5 --pause 0.6 --each \
            --keys '~2' p f Escape m Enter Escape '?' Escape l Escape '[' . -- env HIVE_THEME=$theme $RUN >/dev/null ||
            fail "$name" "no picture"
        for n in 0 1 2 3 4 5 6 7 9 10 11 12 13; do
            look "$name.$n.txt"
        done
        [ "$(market_time "$name.0.txt")" != "$(market_time "$name.1.txt")" ] ||
            fail "$name" "the market stands still: two pictures 2 s apart say $(market_time "$name.0.txt")"
        says "$name.2.txt" 'paused|takes no new risk|u undoes it'
        says "$name.3.txt" 'Cancel'
        says "$name.5.txt" 'muted|u undoes it'
        says "$name.6.txt" 'why|asking the swarm'
        says "$name.8.txt" 'keys · '
        says "$name.10.txt" 'no experiment was run yet|the hive less|asking the swarm'
        says "$name.12.txt" 'PAST'
        says "$name.12.txt" '\. now'
        # The chord by itself: a picture after every key would take longer than it waits.
        # shellcheck disable=SC2086
        "$shot" "$name-kill.png" --cols "${size%x*}" --rows "${size#*x}" --wait 2 --pause 0.2 \
            --keys C-x C-x '~2' -- env HIVE_THEME=$theme $RUN >/dev/null
        look "$name-kill.txt"
        says "$name-kill.txt" 'HALTED.*:reset'
        end
        # q leaves: the cockpit is gone, and with it the alternate screen.
        # shellcheck disable=SC2086
        "$shot" "$name-q.png" --cols "${size%x*}" --rows "${size#*x}" --wait 4 --keys q '~1' -- \
            env HIVE_THEME=$theme $RUN >/dev/null
        if grep -qE 'agents .* of ' "$name-q.txt"; then fail "$name-q.txt" "the cockpit is still there after q"; fi
        # The swarm goes on until it is stopped, and then nothing does.
        ${RUN%% *} ctl status | grep -q '"mode": "running"' || fail "$name-q.txt" "the swarm is not there after q"
        end
        ${RUN%% *} ctl status >/dev/null 2>&1
        [ $? = 4 ] || fail "$name-q.txt" "something keeps running"
    done
done
echo "pictures are in $out"
exit $bad
