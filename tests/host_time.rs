//! The host's part of training.
//!
//! A binary of its own with a single test, so that no other test takes the processor from the one that is timed. What
//! counts is the processor time of the thread that trains: by the clock on the wall, a host that the driver's own threads
//! put aside would seem to be at work. A host that keeps the device waiting without work of its own is not noticed here:
//! `bench` prints such gaps.
#![cfg(unix)]

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use shadegrad::train::{Compile, FitOptions, NoCallback};

use crate::common::{mnist_train, software_gpu, tutorial};

mod common;

/// Most of the time of training that the host may be at work: to encode steps, to copy samples where they are streamed,
/// to submit, and to read figures back.
const SHARE: f64 = 0.05;

/// Processor time of this thread so far.
fn at_work() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn the_host_is_idle_most_of_the_time() {
    let data = mnist_train().take(64 * 250).unwrap();
    for stream in [false, true] {
        let mut model =
            tutorial().compile(&software_gpu(), Compile { stream, ..Compile::default() }).unwrap();
        let options = FitOptions { epochs: 1, ..FitOptions::default() };
        // The first steps wait for the driver to compile its kernels.
        let first = FitOptions { max_steps: Some(8), ..options.clone() };
        model.fit(&data, &first, &mut NoCallback).unwrap();
        let (begun, before) = (Instant::now(), at_work());
        model.fit(&data, &options, &mut NoCallback).unwrap();
        let (took, work) = (begun.elapsed(), at_work() - before);
        let share = work.as_secs_f64() / took.as_secs_f64();
        println!("stream {stream}: {work:.1?} of {took:.1?}, {:.2} %", share * 100.0);
        assert!(share <= SHARE, "stream {stream}: {:.2} % of the time", share * 100.0);
    }
}
