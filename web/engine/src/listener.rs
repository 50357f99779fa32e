//! What hears of training.

use js_sys::Promise;
use shadegrad::train::{Callback, CallbackError, Checkpoint, Checkpoints, EpochRecord, Schedule, StepRecord};
use wasm_bindgen::prelude::*;

use crate::run::Shared;

/// Milliseconds that training may go on without the worker hearing a message.
const BREATH: f64 = 40.0;

#[wasm_bindgen]
extern "C" {
    /// An object with these methods.
    pub type Listener;

    /// Before the first step: epochs, steps of each, steps in all, steps before this call.
    #[wasm_bindgen(method, catch)]
    fn begin(
        this: &Listener,
        epochs: f64,
        steps_per_epoch: f64,
        steps: f64,
        done: f64,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn step(
        this: &Listener,
        step: f64,
        epoch: f64,
        loss: f32,
        correct: f64,
        samples: f64,
    ) -> Result<(), JsValue>;
    /// A record as JSON.
    #[wasm_bindgen(method, catch)]
    fn epoch(this: &Listener, record: &str) -> Result<(), JsValue>;
    /// New weights are to be seen.
    #[wasm_bindgen(method, catch)]
    fn snapshot(this: &Listener, step: f64) -> Result<(), JsValue>;
    /// Whether training is to stop.
    #[wasm_bindgen(method)]
    fn interrupted(this: &Listener) -> bool;
    /// A promise that is kept once the worker has heard its messages; `undefined` where it cannot wait.
    #[wasm_bindgen(method)]
    fn breathe(this: &Listener) -> JsValue;
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
}

/// Tells a listener, and keeps what a run leaves.
pub(crate) struct Tell<'a> {
    pub(crate) listener: &'a Listener,
    pub(crate) run: Shared,
    /// Steps from one snapshot to the next.
    pub(crate) every: usize,
    pub(crate) heard: f64,
}

impl Tell<'_> {
    fn breathe(&mut self) {
        if now() - self.heard > BREATH {
            if let Ok(promise) = self.listener.breathe().dyn_into::<Promise>() {
                suspend(&promise);
            }
            self.heard = now();
        }
    }
}

fn suspend(promise: &Promise) {
    // It is kept in any case.
    let _ = js_sys::futures::jspi_block_on_promise(promise);
}

/// What a listener threw.
fn thrown(error: JsValue) -> CallbackError {
    format!("the page failed: {error:?}").into()
}

impl Callback for Tell<'_> {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        let Schedule { epochs, steps_per_epoch, steps_done, steps, .. } = *schedule;
        let [epochs, each, steps, done] =
            [epochs, steps_per_epoch, steps, steps_done].map(|count| count as f64);
        self.heard = now();
        self.listener.begin(epochs, each, steps, done).map_err(thrown)
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.run.borrow_mut().steps.push((record.step, serde_json::to_string(record)?));
        let StepRecord { step, epoch, loss, correct, n, .. } = *record;
        let correct = correct.map_or(f64::NAN, f64::from);
        self.listener.step(step as f64, epoch as f64, loss, correct, f64::from(n)).map_err(thrown)?;
        self.breathe();
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.run.borrow_mut().epochs.push(*record);
        self.listener.epoch(&serde_json::to_string(record)?).map_err(thrown)
    }

    fn interrupted(&self) -> bool {
        self.listener.interrupted()
    }

    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::Steps(self.every)
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.run.borrow_mut().keep(checkpoint);
        self.listener.snapshot(checkpoint.steps() as f64).map_err(thrown)
    }
}
