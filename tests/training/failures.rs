//! A device that fails during a run: an error of its own kind, and a checkpoint from which another device resumes to
//! the same bits. Nothing panics, not even when everything is dropped afterwards.

use shadegrad::Error;
use shadegrad::data::Dataset;
use shadegrad::device::{Device, DeviceChoice};
use shadegrad::gpu::{Failure, GpuError};
use shadegrad::model::Weights;
use shadegrad::train::{
    Callback, CallbackError, Checkpoint, Checkpoints, Compile, FitOptions, Model, NoCallback, StepRecord,
};

use crate::common::{mnist_train, small};

/// A separate device: it will be lost, and other tests share one.
fn device() -> Device {
    Device::open(&DeviceChoice::Software).unwrap().0
}

/// Plans a failure after a step, and keeps the last checkpoint.
struct Saboteur {
    device: Device,
    failure: Failure,
    after: usize,
    every: usize,
    heard: usize,
    last: Option<Checkpoint>,
}

impl Callback for Saboteur {
    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.heard = record.step;
        if record.step == self.after
            && let Device::Gpu(gpu) = &self.device
        {
            gpu.fail(self.failure);
        }
        Ok(())
    }

    fn checkpoints(&self) -> Checkpoints {
        if self.every == 0 { Checkpoints::Never } else { Checkpoints::Steps(self.every) }
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.last = Some(checkpoint.clone());
        Ok(())
    }
}

fn data() -> Dataset {
    mnist_train().take(120).unwrap()
}

/// Eight steps an epoch.
fn options() -> FitOptions {
    FitOptions { epochs: 3, batch_size: 16, validation_split: Some(0.2), ..FitOptions::default() }
}

fn model(device: &Device, stream: bool) -> Model {
    small().compile(device, Compile { seed: 2, stream, ..Compile::default() }).unwrap()
}

fn whole() -> Weights {
    let mut model = model(&device(), false);
    model.fit(&data(), &options(), &mut NoCallback).unwrap();
    model.weights().unwrap()
}

#[test]
fn what_a_device_began_another_ends() {
    let expected = whole();
    let is_lost = |error: &GpuError| matches!(error, GpuError::Lost { .. });
    let is_timeout = |error: &GpuError| matches!(error, GpuError::Timeout { .. });
    let is_memory = |error: &GpuError| matches!(error, GpuError::Memory { .. });
    type Row = (Failure, usize, usize, bool, fn(&GpuError) -> bool);
    // (failure, after which step it is planned, steps between checkpoints, streamed, the outcome)
    let rows: [Row; 8] = [
        (Failure::DeviceLost(1), 1, 2, false, is_lost),
        (Failure::DeviceLost(3), 9, 2, false, is_lost),
        (Failure::DeviceLost(1), 9, 3, true, is_lost),
        (Failure::DeviceLost(1), 4, 0, false, is_lost),
        (Failure::LostInWait(1), 9, 2, false, is_lost),
        (Failure::LostInWait(1), 5, 2, true, is_lost),
        (Failure::Timeout(1), 9, 2, false, is_timeout),
        (Failure::Allocation(1), 9, 2, false, is_memory),
    ];
    for (failure, after, every, stream, is_right) in rows {
        let what = format!("{failure:?} after step {after}, checkpoints every {every}, streamed {stream}");
        let device = device();
        let mut first = model(&device, stream);
        let mut saboteur = Saboteur { device: device.clone(), failure, after, every, heard: 0, last: None };
        let error = first.fit(&data(), &options(), &mut saboteur).expect_err(&what);
        let Error::DeviceInTraining { step, error: cause, .. } = &error else { panic!("{what}: {error}") };
        assert!(cause.device().is_some_and(is_right), "{what}: {error}");
        assert_eq!(*step, saboteur.heard, "{what}: {error}");
        // Later calls give the same error, except for an allocation, which is refused once.
        if !matches!(failure, Failure::Allocation(_)) {
            for again in [first.evaluate(&data()).map(drop), first.weights().map(drop)] {
                let again = again.expect_err(&what);
                assert!(
                    matches!(&again, Error::Executor(cause) if cause.device().is_some_and(is_right)),
                    "{what}: {again}"
                );
            }
        }
        drop(first);
        let Some(checkpoint) = saboteur.last else {
            assert_eq!(every, 0, "{what}: no checkpoint");
            continue;
        };
        assert!(checkpoint.steps() <= *step && checkpoint.steps() + every >= after, "{what}");
        let mut rest = model(&self::device(), stream);
        rest.resume(&data(), &options(), checkpoint, &mut NoCallback).unwrap();
        assert!(rest.weights().unwrap() == expected, "{what}: other weights");
    }
}

#[test]
fn judging_and_predicting_end_with_an_error() {
    let images = data().images()[..784 * 70].to_vec();
    for failure in [Failure::DeviceLost(2), Failure::LostInWait(2), Failure::Timeout(2)] {
        let device = device();
        let Device::Gpu(gpu) = &device else { unreachable!("a software adapter was asked for") };
        let mut judged = model(&device, false);
        gpu.fail(failure);
        assert!(
            matches!(judged.evaluate(&data()), Err(Error::Executor(error)) if error.device::<GpuError>().is_some()),
            "{failure:?}"
        );
        let device = self::device();
        let Device::Gpu(gpu) = &device else { unreachable!("a software adapter was asked for") };
        let mut predicting = model(&device, false);
        assert_eq!(predicting.predict(&images).unwrap().len(), 700);
        gpu.fail(failure);
        assert!(
            matches!(predicting.predict(&images), Err(Error::Executor(error)) if error.device::<GpuError>().is_some()),
            "{failure:?}"
        );
    }
}
