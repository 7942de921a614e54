//! Damaged files in a checkpoint directory: found, named, and gone around.

use std::{collections::BTreeMap, fs};

use rederive::checkpoint::decode_checkpoint;

use super::support::{Place, TEXTBOOK, name, run};

const EVERY: &str = "--checkpoint-every 1";

/// A place with checkpoints at records 2, 3 and 4 of the textbook's log, the view it serves, and the newest file.
fn finished() -> (Place, String, Vec<u8>) {
    let place = Place::new();
    let view = place.stream(TEXTBOOK, EVERY).exits(0).out;
    let newest = fs::read(place.checkpoint_files().last().unwrap()).unwrap();
    (place, view, newest)
}

/// Every truncation and every flipped bit, with the reason for which each is refused.
fn refusals(sound: &[u8]) -> Vec<(Vec<u8>, String)> {
    let cut = (0..sound.len()).map(|length| sound[..length].to_vec());
    let flipped = (0..sound.len() * 8).map(|bit| {
        let mut bytes = sound.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    let longer = [[sound, &[0]].concat(), [sound, sound].concat()];
    let damaged = cut.chain(flipped).chain(longer);
    damaged
        .map(|bytes| {
            let reason = decode_checkpoint(&bytes).unwrap_err().to_string();
            (bytes, reason)
        })
        .collect()
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused_with_its_section_and_the_one_before_is_used() {
    let (_, view, newest) = finished();
    decode_checkpoint(&newest).unwrap();
    let mut one_of_each: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (bytes, reason) in refusals(&newest) {
        let named = ["section \"", "section table: ", "file header: ", "frame header: ", "end of file: "];
        assert!(named.iter().any(|part| reason.starts_with(part)), "{reason}");
        one_of_each.insert(reason, bytes);
    }
    let sections = one_of_each.keys().filter(|reason| reason.ends_with("checksum does not match"));
    assert!(sections.count() >= 12, "{:?}", one_of_each.keys());
    for (reason, bytes) in &one_of_each {
        let (place, ..) = finished();
        let file = place.checkpoint_files().pop().unwrap();
        fs::write(&file, bytes).unwrap();
        let listed = run(["checkpoints".as_ref(), place.checkpoints().as_os_str()]).exits(1).out;
        let status: Vec<bool> = listed.lines().skip(1).map(|line| line.ends_with("  ok")).collect();
        assert_eq!(status, [false, true, true], "{listed}");
        assert!(listed.lines().nth(1).unwrap().ends_with(reason), "{listed}");
        let ran = place.stream(TEXTBOOK, EVERY).exits(0);
        assert!(ran.err.contains(&format!("refused {:?}: {reason}", name(&file))), "{}", ran.err);
        let report = place.report();
        assert_eq!((&report["resumed_from"], &report["replayed"]), (&3.into(), &1.into()), "{reason}");
        assert_eq!(report["checkpoints_refused"][0]["reason"], reason.as_str());
        assert_eq!(report["effects"].to_string(), "{\"1\":3}", "{reason}");
        assert_eq!((&ran.out, &place.view()), (&view, &view), "{reason}");
    }
}

#[test]
fn a_sink_that_lost_rows_is_not_served_and_is_written_anew() {
    let (place, ..) = finished();
    let sink = place.checkpoints().join("sink.log");
    let sound = fs::read(&sink).unwrap();
    let lost: [&dyn Fn(); 4] = [
        &|| fs::remove_file(&sink).unwrap(),
        &|| fs::write(&sink, b"").unwrap(),
        &|| fs::write(&sink, &sound[..sound.len() - 1]).unwrap(),
        &|| fs::write(&sink, [&[sound[0] ^ 1], &sound[1..]].concat()).unwrap(),
    ];
    for lose in lost {
        let (view, bytes) = (place.view(), fs::read(&sink).unwrap());
        lose();
        run(["view".as_ref(), place.checkpoints().as_os_str()]).fails_with("the sink lost rows");
        let ran = place.stream(TEXTBOOK, EVERY).exits(0);
        assert!(ran.err.contains("the sink did not hold"), "{}", ran.err);
        assert_eq!((&ran.out, &place.view()), (&view, &view));
        let report = place.report();
        assert_eq!(report["fingerprint"], report["sink_fingerprint"]);
        fs::write(&sink, bytes).unwrap();
    }
    let tail = [&sound[..], b"torn"].concat();
    fs::write(&sink, tail).unwrap();
    let ran = run(["view".as_ref(), place.checkpoints().as_os_str()]).exits(0);
    assert!(ran.err.contains("4 torn or damaged bytes"), "{}", ran.err);
}

#[test]
fn lost_deliveries_cost_only_the_proof() {
    let (place, view, _) = finished();
    let deliveries = place.checkpoints().join("deliveries.log");
    for length in [40, 5, 0] {
        let bytes = fs::read(&deliveries).unwrap();
        fs::write(&deliveries, &bytes[..length]).unwrap();
        let ran = place.stream(TEXTBOOK, EVERY).exits(0);
        assert_eq!((&ran.out, place.view()), (&view, view.clone()));
        assert_eq!(place.report()["deliveries"], length / 28);
    }
    fs::remove_file(&deliveries).unwrap();
    assert_eq!(place.stream(TEXTBOOK, EVERY).exits(0).out, view);
}

#[test]
fn a_checkpoint_with_the_last_number_is_an_error_and_no_panic() {
    let (place, ..) = finished();
    let last = place.checkpoints().join(format!("checkpoint-{}.ckpt", u64::MAX));
    fs::rename(place.checkpoint_files().pop().unwrap(), last).unwrap();
    place.stream(TEXTBOOK, EVERY).fails_with("no number is left");
}
