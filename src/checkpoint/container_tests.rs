use super::*;
use proptest::prelude::*;

fn sections() -> Vec<Section<'static>> {
    let content = |id: SectionId| match id {
        // Two empty ones, one of them last but one, and sizes that differ.
        SectionId::ExcludedRanges | SectionId::SinkPosition => Vec::new(),
        id => (0..=id as u8 * 3).map(|n| n.wrapping_mul(37)).collect::<Vec<u8>>(),
    };
    SectionId::ALL.into_iter().map(|id| Section::new(id, content(id))).collect()
}

/// Each part with the range of bytes that it takes, from first principles.
fn layout(sections: &[Section<'_>]) -> Vec<(Part, usize)> {
    let mut at = 10 + 31 + sections.len() * 16 + 4;
    let mut ends = vec![(Part::FileHeader, 10), (Part::FrameHeader, 41), (Part::SectionTable, at)];
    for section in sections {
        at += section.bytes.len();
        ends.push((Part::Section(section.id), at));
    }
    ends
}

fn part_of(byte: usize, layout: &[(Part, usize)]) -> Part {
    layout.iter().find(|&&(_, end)| byte < end).unwrap().0
}

#[test]
fn every_truncation_is_refused_and_the_part_named() {
    let (sections, file) = (sections(), encode_snapshot(7, &sections()));
    let layout = layout(&sections);
    assert_eq!(layout.last().unwrap().1, file.len());
    for length in 0..file.len() {
        let error = decode(&file[..length]).unwrap_err();
        let expected = ContainerError { part: part_of(length, &layout), problem: Problem::CutShort };
        assert_eq!(error, expected, "cut to {length}");
    }
}

#[test]
fn every_flipped_bit_is_refused_and_the_part_named() {
    let file = encode_snapshot(7, &sections());
    let layout = layout(&sections());
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            let error = decode(&damaged).unwrap_err();
            assert_eq!(error.part, part_of(at, &layout), "byte {at}, bit {bit}: {error}");
            let named: Vec<String> =
                inspect(&damaged).into_iter().filter(|part| !part.is_ok()).map(|part| part.name).collect();
            assert_eq!(named, [error.part.to_string()], "inspection agrees");
        }
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let mut file = encode_snapshot(7, &sections());
    file.extend([0; 3]);
    let error = decode(&file).unwrap_err();
    assert_eq!(error, ContainerError { part: Part::FileEnd, problem: Problem::Trailing(3) });
    assert_eq!(inspect(&file).last().unwrap().bytes, 3);
}

#[test]
fn unknown_versions_missing_and_duplicate_sections_are_refused_by_name() {
    let refused = |sections: &[Section<'_>]| decode(&encode_snapshot(7, sections)).unwrap_err().to_string();
    for (index, id) in SectionId::ALL.into_iter().enumerate() {
        let mut missing = sections();
        missing.remove(index);
        assert_eq!(refused(&missing), format!("section \"{id}\": missing"));
        let mut twice = sections();
        twice.push(Section::new(id, vec![1]));
        assert_eq!(refused(&twice), format!("section \"{id}\": there twice"));
        let mut newer = sections();
        newer[index].version = 9;
        assert_eq!(refused(&newer), format!("section \"{id}\": unknown section version 9"));
    }
    let mut file = encode_snapshot(7, &sections());
    file[8] = 2;
    assert_eq!(decode(&file).unwrap_err().to_string(), "file header: unknown format version 2");
    assert_eq!(
        decode(b"not a checkpoint").unwrap_err().to_string(),
        "file header: not a Rederive checkpoint"
    );
}

/// A sound file of a newer version, with its checksums right: told apart from a damaged one.
#[test]
fn newer_frames_and_sections_are_named_as_such() {
    let file = encode_snapshot(7, &sections());
    let resealed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = file.clone();
        change(&mut file);
        let header = crc32fast::hash(&file[10..37]);
        file[37..41].copy_from_slice(&header.to_le_bytes());
        let table_end = 41 + 13 * 16;
        let table = table_crc(&file[10..37], &file[41..table_end]);
        file[table_end..table_end + 4].copy_from_slice(&table.to_le_bytes());
        decode(&file).unwrap_err().to_string()
    };
    assert_eq!(resealed(&|file| file[18] = 1), "frame header: unknown frame kind 1");
    assert_eq!(resealed(&|file| file[41] = 77), "section table: unknown section 77");
    assert_eq!(resealed(&|file| file[45] += 1), "section table: lengths do not add up");
    assert_eq!(resealed(&|file| file[52] = 0xff), "section table: lengths do not add up");
}

#[test]
fn a_sound_file_lists_as_sound() {
    let parts = inspect(&encode_snapshot(7, &sections()));
    assert!(parts.iter().all(Inspected::is_ok));
    assert_eq!(parts.len(), 3 + 13);
    assert_eq!((parts[0].name.as_str(), parts[0].bytes), ("file header", 10));
    assert_eq!(parts[3].name, "section \"log identity\"");
    let total: u64 = parts.iter().map(|part| part.bytes).sum();
    assert_eq!(total, encode_snapshot(7, &sections()).len() as u64);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        id: u64, contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 13),
    ) {
        let sections: Vec<Section<'_>> =
            SectionId::ALL.into_iter().zip(contents).map(|(id, bytes)| Section::new(id, bytes)).collect();
        let file = encode_snapshot(id, &sections);
        let frame = decode(&file).unwrap();
        prop_assert_eq!((frame.id, frame.parent, frame.kind), (id, 0, FrameKind::Snapshot));
        prop_assert_eq!(frame.section(SectionId::Cells), &*sections[8].bytes);
        prop_assert_eq!(frame.sections, sections);
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut file = encode_snapshot(1, &sections());
        file.truncate(10);
        file.extend(bytes);
        prop_assert!(decode(&file).is_err());
        prop_assert!(inspect(&file).iter().any(|part| !part.is_ok()));
    }
}
