//! What was created on a device, and what was read from it: once training runs, it should create nothing.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted. `clippy.toml` forbids the calls of wgpu that would bypass it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A buffer was made.
    Buffer,
    /// A bind group was made.
    BindGroup,
    /// Bytes were uploaded, through memory that was allocated for it.
    Upload,
    /// Work was submitted.
    Submission,
    /// A buffer was mapped to be read.
    Read,
    /// A byte of such a buffer.
    ReadByte,
}

/// How often each [`Event`] occurred since the device was opened. What is created and freed at once counts too.
#[derive(Debug, Default)]
pub(super) struct Tally([AtomicU64; 6]);

impl Tally {
    pub(super) fn add(&self, event: Event, times: u64) {
        self.0[event as usize].fetch_add(times, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn of(&self, event: Event) -> u64 {
        self.0[event as usize].load(Ordering::Relaxed)
    }

    #[cfg(test)]
    fn counts(&self) -> [u64; 6] {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Dataset;
    use crate::device::{Device, DeviceChoice};
    use crate::gpu::Gpu;
    use crate::gpu::flight::WORDS;
    use crate::model::{Activation, Conv2D, Dense, Flatten, MaxPooling2D, Sequential};
    use crate::train::{Callback, CallbackError, Compile, EpochRecord, FitOptions, StepRecord};

    const EPOCHS: usize = 5;
    const BATCH: usize = 8;
    /// The last batch of each set is a short one.
    const TRAINED: usize = 1203;
    const JUDGED: usize = 301;
    /// Of each pass: the rows of its batch table, and its order.
    const UPLOADS: u64 = 2;
    /// Floats that are read after each part of an epoch as a snapshot for a rollback: the weights of each tensor, and
    /// the optimizer's state, in which each tensor begins at a multiple of 8.
    const KEPT: [u64; 5] = [36, 4, 108, 3, 40 + 8 + 112 + 8];

    /// Bytes of a buffer for this many words: a multiple of sixteen.
    fn bytes(words: u64) -> u64 {
        (words * size_of::<u32>() as u64).next_multiple_of(16)
    }

    /// What the driver holds at the moment, as wgpu counts it.
    fn held(gpu: &Gpu) -> [(&'static str, isize); 6] {
        let hal = gpu.device().get_internal_counters().hal;
        [
            ("buffers", hal.buffers.read()),
            ("bind groups", hal.bind_groups.read()),
            ("compute pipelines", hal.compute_pipelines.read()),
            ("shader modules", hal.shader_modules.read()),
            ("pipeline layouts", hal.pipeline_layouts.read()),
            ("query sets", hal.query_sets.read()),
        ]
    }

    /// What was observed in an epoch of training and the evaluation after it.
    struct Epoch {
        made: [u64; 6],
        /// At its end.
        held: [(&'static str, isize); 6],
        /// When some batch is reported.
        most_held: [isize; 6],
    }

    /// Counts while a model is trained.
    struct Watch {
        gpu: Arc<Gpu>,
        before: [u64; 6],
        most_held: [isize; 6],
        epochs: Vec<Epoch>,
    }

    impl Callback for Watch {
        fn on_step(&mut self, _: &StepRecord) -> Result<(), CallbackError> {
            for (most, (_, now)) in self.most_held.iter_mut().zip(held(&self.gpu)) {
                *most = now.max(*most);
            }
            Ok(())
        }

        fn on_epoch_end(&mut self, _: &EpochRecord) -> Result<(), CallbackError> {
            let now = self.gpu.tally().counts();
            let made = std::array::from_fn(|event| now[event] - self.before[event]);
            let most_held = std::mem::take(&mut self.most_held);
            self.epochs.push(Epoch { made, held: held(&self.gpu), most_held });
            self.before = now;
            Ok(())
        }
    }

    fn data(samples: usize) -> Dataset {
        let images = (0..samples * 64).map(|at| (at * 37 % 251) as u8).collect();
        Dataset::new(images, (0..samples).map(|at| (at % 3) as u8).collect(), [8, 8, 1], 3).unwrap()
    }

    fn watch(stream: bool) -> Vec<Epoch> {
        let (device, _) = Device::open(&DeviceChoice::Software).unwrap();
        let Device::Gpu(gpu) = &device else { unreachable!() };
        let model = Sequential::new([8, 8, 1])
            .add(Conv2D::new(4, 3).activation(Activation::Relu))
            .add(MaxPooling2D::new(2))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Activation::Softmax));
        let mut model = model.compile(&device, Compile { stream, ..Compile::default() }).unwrap();
        let validation = Some(data(JUDGED));
        let options = FitOptions { epochs: EPOCHS, batch_size: BATCH, validation, ..FitOptions::default() };
        let gpu = Arc::clone(gpu);
        let mut watch = Watch { gpu, before: [0; 6], most_held: [0; 6], epochs: Vec::new() };
        model.fit(&data(TRAINED), &options, &mut watch).unwrap();
        watch.epochs
    }

    /// What holds for every epoch after the first.
    fn check(place: &str, first: &Epoch, epoch: &Epoch) {
        println!("{place}: made {:?}, held {:?}, at most {:?}", epoch.made, epoch.held, epoch.most_held);
        let made = |event: Event| epoch.made[event as usize];
        let kept = KEPT.len() as u64;
        assert_eq!((made(Event::Buffer), made(Event::BindGroup)), (kept, 0), "{place}: buffers, bind groups");
        assert_eq!(made(Event::Upload), 2 * UPLOADS, "{place}: uploads");
        let submissions = made(Event::Submission) - kept;
        let steps = (TRAINED.div_ceil(BATCH) + JUDGED.div_ceil(BATCH)) as u64;
        assert!(submissions * 2 <= steps, "{place}: {submissions} submissions of {steps} steps");
        assert_eq!(made(Event::Read) - kept, submissions, "{place}: each comes back once");
        let kept_bytes: u64 = KEPT.map(bytes).iter().sum();
        let read = submissions * bytes(WORDS as u64) + kept_bytes;
        assert_eq!(made(Event::ReadByte), read, "{place}: bytes read");
        assert_eq!(epoch.held, first.held, "{place}: at its end");
        for ((what, settled), most) in first.held.iter().zip(epoch.most_held) {
            // What is uploaded for a pass stays in staging buffers until its first submission has run.
            let staged = if *what == "buffers" { UPLOADS as isize } else { 0 };
            assert!(most <= settled + staged, "{place}: {most} {what}, {settled} at the end");
        }
    }

    /// After the first epoch nothing is created, and only the metrics of a submission are read back: once per
    /// submission, not once per batch. The snapshot for a rollback is read once, after the last batch.
    #[test]
    fn training_allocates_nothing_and_reads_nothing_back_between_steps() {
        for stream in [false, true] {
            let epochs = watch(stream);
            assert_eq!(epochs.len(), EPOCHS);
            // Both ways of counting see what is created at first.
            let [buffers, bind_groups, ..] = epochs[0].made;
            assert!(buffers > 0 && bind_groups > 0);
            assert!(epochs[0].held[..5].iter().all(|(_, count)| *count > 0), "{:?}", epochs[0].held);
            for (number, epoch) in (1..).zip(&epochs).skip(1) {
                check(&format!("stream {stream}, epoch {number}"), &epochs[0], epoch);
            }
        }
    }

    /// A loop of one's own makes nothing more once it has trained on its largest batch and evaluated its largest set: smaller batches lie in
    /// the same buffers.
    #[test]
    fn a_step_of_a_loop_allocates_nothing() {
        let (device, _) = Device::open(&DeviceChoice::Software).unwrap();
        let Device::Gpu(gpu) = &device else { unreachable!() };
        let net = Sequential::new([8, 8, 1]).add(Flatten::new());
        let net = net.add(Dense::new(3).activation(Activation::Softmax));
        for stream in [false, true] {
            let mut model = net.compile(&device, Compile { stream, ..Compile::default() }).unwrap();
            let mut step = |samples| {
                let before = gpu.tally().counts();
                model.train_on_batch(&data(samples)).unwrap();
                model.evaluate(&data(JUDGED)).unwrap();
                let now = gpu.tally().counts();
                [Event::Buffer, Event::BindGroup].map(|event| now[event as usize] - before[event as usize])
            };
            assert!(step(BATCH).into_iter().all(|made| made > 0), "both are made at first");
            // A longer pass makes a longer table, to which the steps of the shorter one are bound anew.
            step(BATCH);
            for samples in [BATCH, BATCH - 1, 3, BATCH] {
                assert_eq!(step(samples), [0, 0], "{samples} samples, stream {stream}");
            }
        }
    }
}
