//! Pictures of each kind that people make are recognised nearly as well as clean ones, after a short real training.

mod draw;
mod score;

use std::process::Command;

use draw::KINDS;
use score::{ASKED, Job};

/// The number of each kind; `scripts/predict-kinds` takes more, and a fully trained model.
const COUNT: usize = 20;

#[test]
fn every_kind_is_read_nearly_as_well_as_clean_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let (run, program) = (folder.path().join("run"), assert_cmd::cargo::cargo_bin!("shadegrad"));
    let trained = Command::new(program).args(["train", "--epochs", "1", "--out"]).arg(&run).output().unwrap();
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let test = shadegrad::data::mnist().unwrap().test;
    let job = Job { program, run: &run, device: "cpu", test: &test, count: COUNT };
    let scores: Vec<_> = KINDS
        .iter()
        .filter(|kind| kind.asked)
        .map(|kind| (kind.name, kind.what, score::score(&job, &folder.path().join(kind.name), kind)))
        .collect();
    let clean = scores[0].2.read;
    assert!(clean * 10 >= COUNT * 9, "{scores:?}");
    let least = ASKED * clean as f64;
    let short: Vec<_> = scores.iter().filter(|(_, _, score)| (score.read as f64) < least).collect();
    assert!(short.is_empty(), "below {least:.1} of {COUNT}, and clean ones {clean}: {short:?}");
}
