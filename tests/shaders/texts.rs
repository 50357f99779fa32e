//! The text of every kernel for every sample, written to a file for `scripts/same`, which compares two commits by it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::PER_DIMENSION;
use crate::samples::samples;

/// Names the file that texts are written to.
const FILE: &str = "KERNEL_TEXTS";

#[test]
fn equal_steps_have_equal_texts() {
    let mut texts = BTreeMap::new();
    let mut listed = String::new();
    let all = samples();
    for sample in &all {
        for kernel in sample.op.kernels() {
            let text = kernel.text(&sample.bases, PER_DIMENSION[0]);
            let step = format!("{}: {:?} at {:?}", kernel.title(), sample.op, sample.bases);
            let before = texts.entry(step).or_insert_with(|| text.clone());
            assert_eq!(*before, text, "{} in {}", kernel.title(), sample.place);
            // The place and not the step: how a step is written down in Rust may change.
            writeln!(listed, "==== {}, {}\n{text}", kernel.title(), sample.place).unwrap();
        }
    }
    let kernels = texts.keys().filter_map(|step| step.split_once(": ")).map(|(title, _)| title);
    let kernels = kernels.collect::<BTreeSet<_>>();
    assert!(texts.len() > kernels.len(), "most kernels have several samples");
    if let Some(file) = std::env::var_os(FILE) {
        std::fs::write(&file, listed).unwrap();
    }
}
