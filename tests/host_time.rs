//! The host's part of training.
//!
//! A separate binary with a single test, so that no other test takes the processor away. It measures the processor
//! time of the training thread: by wall-clock time, a host that waits for the driver's own threads would seem busy.
//! It does not notice a host that keeps the device waiting without working itself: `bench` prints such gaps.
#![cfg(unix)]

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use shadegrad::train::{Compile, FitOptions, NoCallback};

use crate::common::{mnist_train, software_gpu, tutorial};

mod common;

/// The largest share of the training time that the host may be busy: encoding steps, copying samples if they are
/// streamed, submitting, and reading metrics back.
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
