//! Starts the processes, and summarises their results.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::child::{self, Job, Outcome};
use crate::dice::SEED;
use crate::formats::FORMATS;

const JOB: &str = "HOSTILE_JOB";
const CASES: &str = "HOSTILE_CASES";
const CASE: &str = "HOSTILE_CASE";
const OTHER_SEED: &str = "HOSTILE_SEED";
/// Cases of one process.
const OF_A_PROCESS: u64 = 10_000;
/// How long the cases run by default.
const SECONDS: f64 = 55.0;
/// Processes of each format by default, at most, and the seconds that must be left for one more.
const ROUNDS: u64 = 20;
const SHORTEST: f64 = 1.0;
/// Cases of each format that must have run by then.
const LEAST: u64 = 500;

/// Plays cases as its variables say.
pub fn main() {
    let variable = |name: &str| std::env::var(name).ok();
    if let Some(job) = variable(JOB) {
        return play(&serde_json::from_str(&job).unwrap());
    }
    let seed =
        variable(OTHER_SEED).map_or(SEED, |seed| seed.parse().expect("HOSTILE_SEED is a whole number"));
    let folder = folder();
    let begun = Instant::now();
    let jobs = match (variable(CASE), variable(CASES)) {
        (Some(case), _) => one(&case, seed),
        (None, Some(cases)) => all(cases.parse().expect("HOSTILE_CASES is a whole number"), seed),
        (None, None) => rounds(seed),
    };
    let least = if variable(CASE).or(variable(CASES)).is_none() { LEAST } else { 0 };
    let end = (least > 0).then(|| begun + Duration::from_secs_f64(SECONDS));
    let table = play_jobs(&jobs, folder.path(), end);
    report(&table, begun, least);
}

/// In memory if the system has such a place: nothing read here needs to be kept.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::tempdir_in(parent).expect("a folder for the cases")
}

fn one(case: &str, seed: u32) -> Vec<Job> {
    let (name, number) = case.split_once(':').expect("HOSTILE_CASE is a format and a number, such as PNG:12");
    let format = FORMATS.iter().position(|format| format.name == name).expect("a known format");
    vec![Job { format, seed, first: number.parse().expect("a number"), count: 1, seconds: f64::MAX }]
}

fn all(cases: u64, seed: u32) -> Vec<Job> {
    let formats = FORMATS.len() as u64;
    let mut jobs = Vec::new();
    for format in 0..FORMATS.len() {
        let share = cases / formats + u64::from((format as u64) < cases % formats);
        for first in (0..share).step_by(OF_A_PROCESS as usize) {
            let count = OF_A_PROCESS.min(share - first);
            jobs.push(Job { format, seed, first, count, seconds: f64::MAX });
        }
    }
    jobs
}

/// A process for each format, with its share of the time; then more of them, for what is left.
fn rounds(seed: u32) -> Vec<Job> {
    let share = SECONDS * workers() as f64 / FORMATS.len() as f64;
    let job = |round: u64, format, seconds| {
        let first = round * OF_A_PROCESS;
        Job { format, seed, first, count: OF_A_PROCESS, seconds }
    };
    (0..ROUNDS).flat_map(|round| (0..FORMATS.len()).map(move |format| job(round, format, share))).collect()
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get()).min(FORMATS.len())
}

/// A row of the table, by format.
fn play_jobs(jobs: &[Job], folder: &Path, end: Option<Instant>) -> Vec<Outcome> {
    let table = Mutex::new(vec![Outcome::default(); FORMATS.len()]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..workers() {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let left = end.map(|end| end.saturating_duration_since(Instant::now()).as_secs_f64());
                    if job.first > 0 && left.is_some_and(|left| left < SHORTEST) {
                        break;
                    }
                    let seconds = job.seconds.min(left.filter(|_| job.first > 0).unwrap_or(f64::MAX));
                    let came = start(&Job { seconds, ..job.clone() }, folder);
                    let sum = &mut table.lock().unwrap()[job.format];
                    sum.played += came.played;
                    sum.taken += came.taken;
                    sum.slowest_ms = sum.slowest_ms.max(came.slowest_ms);
                    sum.peak_mib = sum.peak_mib.max(came.peak_mib);
                    sum.failures.extend(came.failures);
                }
            });
        }
    });
    table.into_inner().unwrap()
}

/// Plays a job in a separate process, and continues after a case that ended it.
fn start(job: &Job, folder: &Path) -> Outcome {
    let mut sum = Outcome::default();
    let mut job = job.clone();
    loop {
        let progress = progress(&job, folder);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(JOB, serde_json::to_string(&job).unwrap()).env("HOSTILE_FOLDER", folder);
        // A child must not leave files elsewhere either.
        command.env("TMPDIR", folder).env("RUST_BACKTRACE", "0").stdin(Stdio::null());
        let output = command.output().expect("a process for the cases");
        if crate::is_alone() {
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let told = text.lines().find_map(|line| serde_json::from_str::<Outcome>(line).ok());
        if let Some(came) = told {
            sum.played += came.played;
            sum.taken += came.taken;
            sum.slowest_ms = sum.slowest_ms.max(came.slowest_ms);
            sum.peak_mib = sum.peak_mib.max(came.peak_mib);
            sum.failures.extend(came.failures);
            return sum;
        }
        let mut last = [0; 8];
        let read = File::open(&progress).and_then(|mut file| file.read_exact(&mut last));
        let last = if read.is_ok() { u64::from_le_bytes(last) } else { job.first };
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().filter(|line| !line.is_empty()).take(2).collect();
        let said = said.join(" ");
        sum.played += last + 1 - job.first;
        sum.failures.push((last, format!("the process ended with {}: {said}", output.status)));
        job.count -= last + 1 - job.first;
        job.first = last + 1;
        if job.count == 0 || sum.failures.len() > 9 {
            return sum;
        }
    }
}

fn progress(job: &Job, folder: &Path) -> PathBuf {
    folder.join(format!("progress-{}-{}", job.format, job.first))
}

/// In a separate process.
fn play(job: &Job) {
    let folder = PathBuf::from(std::env::var_os("HOSTILE_FOLDER").expect("the folder of all cases"));
    let file = File::create(progress(job, &folder)).unwrap();
    let outcome = child::run(job, &folder.join("cases"), &file);
    println!("{}", serde_json::to_string(&outcome).unwrap());
}

fn report(table: &[Outcome], begun: Instant, least: u64) {
    let heading = ["format", "cases", "refused", "accepted", "slowest", "peak memory", "failures"];
    let [format, cases, refused, accepted, slowest, peak, failed] = heading;
    println!("{format:15} {cases:>9} {refused:>9} {accepted:>9} {slowest:>10} {peak:>12} {failed:>9}");
    let mut problems = Vec::new();
    for (format, row) in FORMATS.iter().zip(table).filter(|(_, row)| row.played > 0) {
        let Outcome { played, taken, slowest_ms, peak_mib, failures } = row;
        println!(
            "{:15} {played:>9} {:>9} {taken:>9} {slowest_ms:>7.1} ms {peak_mib:>8} MiB {:>9}",
            format.name,
            played - taken,
            failures.len()
        );
        for (case, problem) in failures {
            problems.push(format!(
                "{}:{case}: {problem}\n  alone: HOSTILE_CASE={:?} cargo test --release --test hostile",
                format.name,
                format!("{}:{case}", format.name)
            ));
        }
        if *peak_mib > format.most_memory {
            problems.push(format!("{}: {peak_mib} MiB are more than {}", format.name, format.most_memory));
        }
    }
    for (format, row) in FORMATS.iter().zip(table).filter(|(_, row)| row.played < least) {
        problems.push(format!("{}: only {} cases were played, not {least}", format.name, row.played));
    }
    let played: u64 = table.iter().map(|row| row.played).sum();
    println!("{played} cases in {:.0} s, {} failures", begun.elapsed().as_secs_f64(), problems.len());
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
