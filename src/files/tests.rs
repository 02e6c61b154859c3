//! Stored files are whole, others are gone, in memory and in a directory.

use super::*;
use crate::scratch::Scratch;
use std::time::{Duration, Instant};

struct Bench {
    store: Store,
    directory: Option<Scratch>,
}

impl Bench {
    fn new(directory: Option<&str>) -> Bench {
        let directory = directory.map(Scratch::new);
        Bench { store: Bench::open(directory.as_ref(), &[]), directory }
    }

    fn open(directory: Option<&Scratch>, known: &[&str]) -> Store {
        let known = known.iter().map(|id| Arc::from(*id)).collect();
        Store::start(directory.map(|it| &*it.0), known, || {}).unwrap()
    }

    fn report(&self) -> Report {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.store.next_report() {
                Some(report) => return report,
                None => assert!(Instant::now() < deadline, "no report"),
            }
            std::thread::yield_now();
        }
    }

    fn upload(&self, id: &str, parts: &[&str]) -> Report {
        self.store.send(Command::Begin(7, id.into()));
        for part in parts {
            self.store.send(Command::Write(7, part.as_bytes().to_vec()));
            match self.report() {
                Report::Written(7, count) => assert_eq!(count, part.len()),
                other => return other,
            }
        }
        self.store.send(Command::Finish(7));
        self.report()
    }

    fn read(&self, id: &str, offset: u64, length: usize) -> Option<String> {
        self.store.send(Command::Read { transfer: 8, id: id.into(), offset, length });
        match self.report() {
            Report::Read(8, bytes) => Some(String::from_utf8(bytes).unwrap()),
            Report::Unreadable(8, _) => None,
            other => panic!("{other:?}"),
        }
    }

    fn names(&self) -> Vec<String> {
        let Some(directory) = &self.directory else { return Vec::new() };
        let entries = std::fs::read_dir(&directory.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn what_is_kept_is_read_from_anywhere() {
    for directory in [None, Some("kept")] {
        let bench = Bench::new(directory);
        match bench.upload("one", &["ab", "", "c"]) {
            Report::Kept { transfer: 7, size: 3, sha256, .. } => assert_eq!(
                sha256, // FIPS 180-2, appendix B.1.
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            ),
            other => panic!("{other:?}"),
        }
        for (offset, length, expected) in [(0, 10, "abc"), (1, 1, "b"), (3, 4, ""), (9, 1, "")] {
            assert_eq!(bench.read("one", offset, length).as_deref(), Some(expected));
        }
        bench.store.send(Command::Remove("one".into()));
        assert_eq!(bench.read("one", 0, 1), None);
        assert_eq!(bench.names(), [""; 0]);
    }
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing() {
    let bench = Bench::new(Some("aborted"));
    bench.store.send(Command::Begin(1, "half".into()));
    bench.store.send(Command::Write(1, b"half".to_vec()));
    bench.report();
    assert_eq!(bench.names(), ["half.part"]);
    bench.store.send(Command::Abort(1));
    assert_eq!(bench.read("half", 0, 1), None);
    assert_eq!(bench.names(), [""; 0]);
    // What was on its way when it was given up is dropped.
    bench.store.send(Command::Write(1, b"more".to_vec()));
    assert!(matches!(bench.report(), Report::Written(1, 4)));
    bench.store.send(Command::Finish(1));
    assert_eq!(bench.read("half", 0, 1), None);
}

#[test]
fn a_start_removes_what_no_record_knows() {
    let mut bench = Bench::new(Some("left-over"));
    for id in ["known", "unknown"] {
        assert!(matches!(bench.upload(id, &["x"]), Report::Kept { .. }));
    }
    bench.directory.as_ref().unwrap().write("half.part", "x");
    bench.store = Bench::open(bench.directory.as_ref(), &["known", "missing"]);
    assert_eq!(bench.names(), ["known"]);
}

/// A directory that is gone stands in for a disk that fails.
#[test]
fn a_failure_is_reported_once_and_the_next_upload_is_tried() {
    let bench = Bench::new(Some("failing"));
    let directory = &bench.directory.as_ref().unwrap().0;
    std::fs::remove_dir(directory).unwrap();
    assert!(matches!(bench.upload("one", &["x"]), Report::Failed(7, _)));
    bench.store.send(Command::Finish(7));
    assert!(matches!(bench.report(), Report::Written(7, 1)));
    std::fs::create_dir(directory).unwrap();
    assert!(matches!(bench.upload("two", &["x"]), Report::Kept { .. }));
}
