#!/usr/bin/env bash
# A day of a live market at sixty times its pace, against a venue on this machine: twenty symbols, and every twenty minutes of it
# everything that can go wrong between a venue and a run. Nothing is decided on what was not known, memory does not grow, and
# the tape, run again, is the run. MINUTES says how many of the venue's; half an hour.
set -euo pipefail
cd "$(dirname "$0")/../.."
HIVE_LIVE_MINUTES=${MINUTES:-1440} cargo test --test hive-tests \
    a_venue_is_followed_through_everything -- --nocapture
