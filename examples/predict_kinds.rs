//! How many digits `predict` reads in pictures of each kind: `scripts/predict-kinds` trains a model and calls this.
//!
//!     predict_kinds PROGRAM RUN FOLDER COUNT [KIND...]
//!
//! writes COUNT pictures of each kind into FOLDER/KIND, has PROGRAM read them, and prints a table; exit code 1 when a kind
//! of which it is asked is below 85 % of the clean ones.

#[path = "../tests/kinds/draw.rs"]
mod draw;
#[path = "../tests/kinds/score.rs"]
mod score;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [program, run, folder, count, names @ ..] = args.as_slice() else {
        eprintln!("usage: predict_kinds PROGRAM RUN FOLDER COUNT [KIND...]");
        return ExitCode::from(2);
    };
    let Ok(count) = count.parse() else {
        eprintln!("{count} is not a number of pictures");
        return ExitCode::from(2);
    };
    let test = match shadegrad::data::mnist() {
        Ok(data) => data.test,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let job = score::Job { program: program.as_ref(), run: run.as_ref(), device: "auto", test: &test, count };
    println!("| kind | pictures | read | of clean | warned | refused | what is drawn |");
    println!("|---|---|---|---|---|---|---|");
    let mut clean = None;
    let mut short = Vec::new();
    for kind in
        draw::KINDS.iter().filter(|kind| names.is_empty() || names.iter().any(|name| name == kind.name))
    {
        let score = score::score(&job, &Path::new(folder).join(kind.name), kind);
        let first = *clean.get_or_insert(score.read.max(1));
        let share = score.read as f64 / first as f64;
        println!(
            "| {} | {count} | {} | {:.0} % | {} | {} | {} |",
            kind.name,
            score.read,
            100.0 * share,
            score.warned,
            score.refused,
            kind.what
        );
        if kind.asked && share < score::ASKED {
            short.push(kind.name);
        }
    }
    if short.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("below {:.0} % of the clean ones: {}", 100.0 * score::ASKED, short.join(", "));
    ExitCode::FAILURE
}
