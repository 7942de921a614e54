//! The shipped scenarios meet their expectations, with the same digest under both drivers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::path::{Path, PathBuf};

use rederive::engine::{
    driver::Driver,
    play::{Played, open_scenario, play},
    protocol::Fact,
};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs").join(name)
}

fn played(name: &str) -> Played {
    let open = open_scenario(&sample(name)).unwrap();
    let inline = play(&open, Driver::Inline, None);
    let threads = play(&open, Driver::Threads, None);
    assert_eq!(inline.failures, Vec::<String>::new());
    assert_eq!(inline.digest, threads.digest);
    assert_eq!(inline.journal, threads.journal);
    inline
}

#[test]
fn crash_and_replay_reads_734_records_twice_and_counts_them_once() {
    let played = played("crash-and-replay.json");
    let replay = played.facts.iter().find_map(|(_, fact)| match fact {
        Fact::ReplayFinished {
            from,
            to,
            merged_views,
            recount_views,
            every_read_views,
            same_as_never_crashed,
        } => Some((*from, *to, *merged_views, *recount_views, *every_read_views, *same_as_never_crashed)),
        _ => None,
    });
    assert_eq!(replay, Some((14_000, 14_734, 14_734, 14_734, 15_468, true)));
    let dropped = played.facts.iter().find_map(|(_, fact)| match fact {
        Fact::Restored { dropped_below_batch, .. } => Some(*dropped_below_batch),
        _ => None,
    });
    assert_eq!(dropped, Some(0), "the checkpoint holds nothing that batch covers");
    assert_eq!(played.frame.batch_covers, 31_106);
}

#[test]
fn an_old_checkpoint_does_not_count_below_the_batch_view_again() {
    let played = played("old-checkpoint.json");
    let restored = played.facts.iter().find_map(|(_, fact)| match fact {
        Fact::Restored { position, replay_to, dropped_below_batch, .. } => {
            Some((*position, *replay_to, *dropped_below_batch))
        }
        _ => None,
    });
    assert_eq!(restored, Some((6_000, 8_900, 6_000)));
}
