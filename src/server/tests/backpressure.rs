//! A peer that does not read: its own lines wait, then it is dropped; the others never notice.

use super::{Bench, Client};

/// Bytes of one line.
const LINE: usize = 4_000;

/// Sends lines until `done`; the listener receives each of them.
fn flood(
    bench: &mut Bench,
    talker: &mut Client,
    listener: &mut Client,
    mut done: impl FnMut(&mut Bench) -> bool,
) -> usize {
    let text = "~".repeat(LINE - 1) + "\n";
    for count in 0..20_000 {
        if done(bench) {
            return count;
        }
        talker.send(&text);
        bench.wait_for(listener, "[talker]: ~");
    }
    panic!("it went on for ever");
}

#[test]
fn above_the_soft_limit_a_peers_own_lines_wait() {
    let mut bench = Bench::new(&["--outbox-soft=64k", "--outbox-hard=64M"]);
    let (mut talker, mut listener) = (bench.join("talker"), bench.join("listener"));
    let mut slow = bench.join("slow");
    flood(&mut bench, &mut talker, &mut listener, |bench| bench.longest_queue() > 64 * 1024);
    slow.send("am I heard?\n");
    assert!(bench.lines(&mut listener).is_empty(), "its queue is over the soft limit");
    bench.wait_for_silence(&mut slow);
    bench.wait_for(&mut listener, "[slow]: am I heard?");
    assert_eq!(bench.longest_queue(), 0);
}

#[test]
fn above_the_hard_limit_a_peer_is_dropped_and_the_others_are_told_why() {
    let mut bench = Bench::new(&["--outbox-soft=64k", "--outbox-hard=256k"]);
    let (mut talker, mut listener) = (bench.join("talker"), bench.join("listener"));
    let _slow = bench.join("slow");
    flood(&mut bench, &mut talker, &mut listener, |bench| bench.online() == 2);
    let lines = bench.wait_for(&mut talker, "slow quit");
    assert!(lines.last().unwrap().contains("--outbox-hard"), "{lines:?}");
    assert!(bench.longest_queue() <= 256 * 1024);
}
