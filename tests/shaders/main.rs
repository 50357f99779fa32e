//! Every kernel's text, without a device: it is valid, it declares what the Rust table says, and every back end
//! translates it.

#[path = "../common/mod.rs"]
mod common;
mod reflection;
mod samples;
mod texts;
mod translation;

use std::collections::BTreeSet;

use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use shadegrad::gpu::{Kernel, PROBES, SHARED, Source};
use shadegrad::ops::{BatchMetrics, FUNCTION, MAX_ITERATIONS, Op};

use common::repository;
use samples::{Sample, samples};

/// WebGPU's minimum for `max_compute_workgroups_per_dimension`, and a value that folds nearly every dispatch.
const PER_DIMENSION: [u32; 2] = [65_535, 3];

/// The folder of kernels for drivers that compute on the processor.
const LANES: &str = "lanes";

/// Name, file and sizes of a row, for messages.
fn place(kernel: &Kernel, sample: &Sample) -> String {
    format!("{}, shaders/{}, {}", kernel.title(), kernel.source.file, sample.place)
}

fn uses_subgroups(text: &str) -> bool {
    text.contains("subgroup")
}

/// Parses and validates with only the features that devices are opened with.
fn validate(text: &str) -> Result<(naga::Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|error| error.emit_to_string(text))?;
    let mut capabilities = Capabilities::empty();
    capabilities.set(Capabilities::SUBGROUP, uses_subgroups(text));
    capabilities.set(Capabilities::SHADER_INT64, text.contains("u64"));
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .map_err(|error| error.emit_to_string(text))?;
    Ok((module, info))
}

fn check(kernel: &Kernel, sample: &Sample, per_dimension: u32) -> Result<(), String> {
    let text = kernel.text(&sample.bases, per_dimension);
    let (module, info) = validate(&text)?;
    reflection::compare(kernel, &module)?;
    translation::translate(&module, &info, uses_subgroups(&text))
}

#[test]
fn every_kernel_is_valid_agrees_with_its_row_and_translates() {
    let mut failures = Vec::new();
    for sample in samples() {
        for kernel in sample.op.kernels() {
            for per_dimension in PER_DIMENSION {
                if let Err(problem) = check(&kernel, &sample, per_dimension) {
                    failures.push(format!("{}: {problem}", place(&kernel, &sample)));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures[..failures.len().min(10)].join("\n")
    );
}

#[test]
fn every_probe_is_valid_and_translates() {
    for probe in PROBES {
        let file = probe.source.file;
        let text = probe.text();
        let (module, info) = validate(&text).unwrap_or_else(|problem| panic!("{file}: {problem}"));
        let sizes: Vec<_> = module.entry_points.iter().map(|entry| entry.workgroup_size).collect();
        assert_eq!(sizes, [[probe.workgroup, 1, 1]], "{file}");
        assert!(probe.iterations as usize <= MAX_ITERATIONS, "{file}");
        let translated = translation::translate(&module, &info, uses_subgroups(&text));
        translated.unwrap_or_else(|problem| panic!("{file}: {problem}"));
    }
}

#[test]
fn the_reflection_notices_every_kind_of_difference() {
    let kernel = &Op::from(BatchMetrics { rows: 8 }).kernels()[0];
    let text = kernel.text(&[0; 4], PER_DIMENSION[0]);
    // (what is changed, into what, a word of the message)
    let rows = [
        ("@compute @workgroup_size(WORKGROUP_SIZE)", "@compute @workgroup_size(32)", "workgroup size"),
        ("fn main(", "fn run(", "entry points"),
        ("var<storage, read> row_loss", "var<storage, read_write> row_loss", "access of `row_loss`"),
        ("correct: array<u32>;", "correct: array<i32>;", "elements of `row_correct`"),
        ("row_loss: array<f32>;", "row_loss: array<f32, 8>;", "elements of `row_loss`"),
        ("@binding(2)", "@binding(4)", "bindings of group 0"),
        ("@group(1)", "@group(2)", "bindings of group 1"),
        ("    first: u32,\n    slot: u32,", "    slot: u32,\n    first: u32,", "fields of BatchParams"),
        ("    slot: u32,", "    @align(16) slot: u32,", "size of BatchParams"),
        ("    batch_size: u32,", "    batch_size: u32, more: u32,", "size of BatchParams"),
        ("array<u32, WORKGROUP_SIZE>", "array<u32, 4096>", "bytes of workgroup memory"),
    ];
    for (from, to, expected) in rows {
        assert!(text.contains(from), "{from:?} is not in the text");
        let mut changed = text.replacen(from, to, 1);
        if to.contains("array<i32>") {
            changed = changed.replace("row_correct[ROW_CORRECT_BASE + r]", "u32(row_correct[r])");
        }
        let (module, _) = validate(&changed).unwrap_or_else(|problem| panic!("{to}: {problem}"));
        let found = reflection::compare(kernel, &module).expect_err(to);
        assert!(found.contains(expected), "{from} -> {to}: {found:?} lacks {expected:?}");
    }
}

#[test]
fn every_file_is_used_and_named_after_its_kind() {
    let mut used = BTreeSet::new();
    for kernel in every_kernel() {
        let way = kernel.kind.rsplit('_').next().expect("a name");
        let kind = kernel.function.map_or(kernel.kind.to_owned(), |_| format!("activation_{way}"));
        // One file for subgroups of every size, with and without integers of 64 bits, and for workgroups of every form.
        let variant = match kernel.lanes {
            Some(lanes) => kernel.variant.split(&lanes.to_string()).next().expect("a name"),
            None if kernel.hardware => kernel.variant.trim_end_matches(|c: char| c.is_ascii_digit()),
            None => kernel.variant,
        };
        let variant = variant.trim_end_matches("_together").trim_end_matches("_wide");
        let (plain, variant) = (format!("{kind}.wgsl"), format!("{kind}_{variant}.wgsl"));
        let path = kernel.source.file;
        if let Some(function) = kernel.function {
            let expected = kernel.kind.trim_end_matches(&format!("_{way}"));
            assert_eq!(function.file, format!("activations/{expected}.wgsl"), "{}", kernel.title());
        }
        let (folder, file) = path.split_once('/').expect("a folder and a file");
        assert!(
            file == plain || file == variant,
            "{}: {file} is neither {plain} nor {variant}",
            kernel.title()
        );
        assert_eq!(
            folder == LANES,
            kernel.lanes.is_some(),
            "{}: {path} is in the wrong folder",
            kernel.title()
        );
        for Source { file, text } in kernel.files() {
            let on_disk = std::fs::read_to_string(repository("shaders").join(file)).unwrap();
            assert!(text == on_disk, "{}: the row holds another text than {file}", kernel.title());
            used.insert(file.to_owned());
        }
        for file in kernel.source.imports(kernel.form()) {
            if file == FUNCTION {
                assert!(kernel.function.is_some(), "{}: the step decides no file", kernel.title());
                continue;
            }
            let known = SHARED.iter().any(|shared| shared.file == file);
            assert!(known, "{}: {path} imports {file}, which nobody knows", kernel.title());
            let shared = file.starts_with("shared/") || kernel.lanes.is_some() && file.starts_with(LANES);
            assert!(shared, "{}: {file} is not shared", kernel.title());
        }
    }
    for probe in PROBES {
        assert_eq!(probe.source.file, format!("probe/{}.wgsl", probe.name));
        used.insert(probe.source.file.to_owned());
    }
    let mut found = BTreeSet::new();
    for folder in std::fs::read_dir(repository("shaders")).unwrap() {
        let folder = folder.unwrap();
        if folder.file_name() == "README.md" {
            continue;
        }
        for entry in std::fs::read_dir(folder.path()).expect("only folders beside it") {
            let file = entry.unwrap().file_name();
            found.insert(format!("{}/{}", folder.file_name().display(), file.display()));
        }
    }
    assert_eq!(found, used, "files in shaders/ (left), files that the tables use (right)");
}

/// Every kernel of every kind, each made for the first sample that it fits.
fn every_kernel() -> Vec<Kernel> {
    let mut kernels: Vec<Kernel> = Vec::new();
    for kernel in samples().iter().flat_map(|sample| sample.op.kernels()) {
        if !kernels.iter().any(|known| known.title() == kernel.title()) {
            kernels.push(kernel);
        }
    }
    kernels
}

/// The text with one more line, of no meaning in WGSL, after so many lines.
fn broken(text: &str, lines: usize) -> String {
    let mut text: Vec<&str> = text.lines().collect();
    text.insert(lines, "?");
    text.join("\n") + "\n"
}

#[test]
fn an_error_is_mapped_to_its_file_and_line() {
    for kernel in every_kernel() {
        let bases = vec![8; kernel.args.len()];
        let text = kernel.text(&bases, PER_DIMENSION[0]);
        let files = kernel.files();
        let lines: usize = files.iter().map(|source| source.text.lines().count()).sum();
        let mut begin = text.lines().count() - lines;
        for source in files {
            let length = source.text.lines().count();
            for before in [0, 1, length - 1] {
                let changed = broken(&text, begin + before);
                let error = naga::front::wgsl::parse_str(&changed).unwrap_err();
                let line = error.location(&changed).unwrap().line_number as usize;
                let found = kernel.locate(&bases, PER_DIMENSION[0], line);
                let expected = format!("shaders/{}:{}", source.file, before + 1);
                assert_eq!(found, expected, "{}", kernel.title());
            }
            begin += length;
        }
    }
}

#[test]
fn lines_outside_the_files_have_a_place_too() {
    let kernel = &Op::from(BatchMetrics { rows: 8 }).kernels()[0];
    let text = kernel.text(&[0; 4], PER_DIMENSION[0]);
    let locate = |line| kernel.locate(&[0; 4], PER_DIMENSION[0], line);
    assert_eq!(locate(1), "generated header, line 1");
    let end = text.lines().count() + 1;
    assert_eq!(locate(end), format!("shaders/{}, after its end", kernel.source.file));
}
