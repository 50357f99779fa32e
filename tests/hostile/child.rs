//! A process that plays cases until one is fatal, within limits of memory and time.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::formats::FORMATS;
use crate::place::Place;

/// Address space of a process.
const MOST_MEMORY: u64 = 3 << 30;
/// A case that takes longer than this hangs.
const LONGEST: Duration = Duration::from_secs(5);
/// The stack of the reading thread: the default for a thread.
const STACK: usize = 2 << 20;
/// The most failures that a process reports before it gives up.
const MOST_FAILURES: usize = 20;

/// The job of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub format: usize,
    pub seed: u32,
    pub first: u64,
    pub count: u64,
    /// It starts no case after this many seconds.
    pub seconds: f64,
}

/// The result of the job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub played: u64,
    pub taken: u64,
    pub slowest_ms: f64,
    pub peak_mib: u64,
    /// A case and what is wrong with it.
    pub failures: Vec<(u64, String)>,
}

/// Milliseconds from the start of the cases to the start of the current one; 0 between cases.
static BEGUN: AtomicU64 = AtomicU64::new(0);
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Plays the cases of a job; `progress` holds the number of the current one.
pub fn run(job: &Job, parent: &Path, progress: &File) -> Outcome {
    for (resource, most) in [(Resource::As, MOST_MEMORY), (Resource::Core, 0)] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).unwrap();
    }
    let place = Place::new(parent, job.first + (job.format as u64) * 1_000_000_000);
    std::env::set_current_dir(place.working()).unwrap();
    let origin = Instant::now();
    std::thread::spawn(move || watch(origin));
    let thread = std::thread::Builder::new().stack_size(STACK);
    std::thread::scope(|scope| {
        thread.spawn_scoped(scope, || play_all(job, &place, progress, origin)).unwrap().join().unwrap()
    })
}

fn play_all(job: &Job, place: &Place, progress: &File, origin: Instant) -> Outcome {
    let mut outcome = Outcome::default();
    let format = &FORMATS[job.format];
    let player = (format.prepare)();
    let untouched = place.untouchable();
    // A panic counts even if it is caught.
    std::panic::set_hook(Box::new(|panic| {
        PANIC.lock().unwrap().get_or_insert(panic.to_string());
    }));
    for case in job.first..job.first + job.count {
        if origin.elapsed().as_secs_f64() > job.seconds || outcome.failures.len() >= MOST_FAILURES {
            break;
        }
        progress.write_all_at(&case.to_le_bytes(), 0).unwrap();
        let begun = Instant::now();
        BEGUN.store(origin.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        let mut dice = Dice::new(job.seed, job.format as u32, case);
        let played = catch_unwind(AssertUnwindSafe(|| player.play(place, &mut dice)));
        BEGUN.store(0, Ordering::Relaxed);
        outcome.played += 1;
        outcome.taken += u64::from(matches!(played, Ok(true)));
        outcome.slowest_ms = outcome.slowest_ms.max(begun.elapsed().as_secs_f64() * 1e3);
        if let Some(panic) = PANIC.lock().unwrap().take() {
            outcome.failures.push((case, panic));
        }
        if place.untouchable() != untouched {
            outcome.failures.push((case, "something outside its folder was written".to_owned()));
            break;
        }
    }
    outcome.peak_mib = peak_mib();
    outcome
}

/// Ends the process once a case hangs.
fn watch(origin: Instant) {
    loop {
        std::thread::sleep(LONGEST / 20);
        let begun = BEGUN.load(Ordering::Relaxed);
        let now = origin.elapsed().as_millis() as u64;
        if begun > 0 && now.saturating_sub(begun) > LONGEST.as_millis() as u64 {
            eprintln!("it takes more than {} s", LONGEST.as_secs());
            std::process::abort();
        }
    }
}

/// The peak memory of this process; 0 if the system does not say.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) >> 10
}
