//! Both executors follow what Keras computed, step by step. The recordings are beside this file;
//! `make_keras_golden.py`, for `runs/` and `nets/` `make_keras_runs.py`, and for `resnet18/` `make_torch_resnet.py` say how they and their
//! bounds were made.

#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod resnet18;
mod rmsprop;
mod runs;
mod samples;
mod small_net;
mod updates;

use serde::de::DeserializeOwned;

use common::repository;

/// The most bytes of all recordings together.
const MOST_BYTES: u64 = 1_500_000;

/// A recording in JSON.
fn recording<T: DeserializeOwned>(name: &str) -> T {
    let path = repository("tests/golden").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_recordings_are_small() {
    let sizes = |folder: &str| {
        let files = std::fs::read_dir(repository(folder)).unwrap().map(Result::unwrap);
        let recordings = files.filter(|file| {
            let name = file.file_name().into_string().unwrap();
            name.ends_with(".json") || name.ends_with(".safetensors")
        });
        recordings.map(|file| file.metadata().unwrap().len()).collect::<Vec<u64>>()
    };
    let of_first = sizes("tests/golden");
    assert_eq!(of_first.len(), 8, "four JSON files and the weights at four steps");
    let of_others =
        [sizes("tests/golden/runs"), sizes("tests/golden/nets"), sizes("tests/golden/resnet18")].concat();
    let total = of_first.iter().chain(&of_others).sum::<u64>();
    assert!(total < MOST_BYTES, "the recordings take {total} bytes, over {MOST_BYTES}");
}
