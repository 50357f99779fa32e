//! Both executors follow what Keras computed, step by step. The recordings lie beside this file, and
//! `make_keras_golden.py` says how they and their bounds were made.

#[path = "../common/mod.rs"]
mod common;
mod rmsprop;
mod small_net;

use serde::de::DeserializeOwned;

use common::repository;

/// Most bytes of all recordings together.
const MOST_BYTES: u64 = 1_000_000;

/// A recording in JSON.
fn recording<T: DeserializeOwned>(name: &str) -> T {
    let path = repository("tests/golden").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_recordings_are_small() {
    let files = std::fs::read_dir(repository("tests/golden")).unwrap();
    let recordings = files.map(Result::unwrap).filter(|file| {
        let name = file.file_name().into_string().unwrap();
        name.ends_with(".json") || name.ends_with(".safetensors")
    });
    let sizes: Vec<u64> = recordings.map(|file| file.metadata().unwrap().len()).collect();
    assert_eq!(sizes.len(), 6, "two JSON files and the weights at four steps");
    let total = sizes.iter().sum::<u64>();
    assert!(total < MOST_BYTES, "the recordings take {total} bytes, over {MOST_BYTES}");
}
