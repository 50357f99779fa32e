//! What updates of weights have in common: arguments, the tripwire, weight decay, and their bounds.

use super::args::{Access, ArgSpec, DATA, Dtype, Extent, arg, changed, read};
use super::batch::BatchParams;
use super::case::{Numbers, Wire};
use super::constant::{Constants, constants};
use super::inputs::{Draw, Values};
use super::rough::Rough;
use super::trial::{Bound, Trial};
use super::twin::Real;
use crate::random::Stream;

/// Arguments of an update of `len` weights with `slots` values of state for each.
pub(crate) fn update_args(len: usize, slots: usize) -> Vec<ArgSpec> {
    let state = (slots > 0).then(|| changed("state", &[slots, len]));
    let mut args = vec![read("gradient", &[len])];
    args.extend(guards());
    args.extend(state);
    args.push(changed("parameter", &[len]));
    args
}

/// What decides whether an update does anything: the losses of the pass and the tripwire.
pub(crate) fn guards() -> [ArgSpec; 2] {
    let tripwire = arg("tripwire", Access::InOut, Dtype::U32, &[1]);
    [read("loss", &[DATA]).by(Extent::Batches), tripwire]
}

/// Weight decay, by the names that `shared/weight_decay.wgsl` uses.
pub(crate) fn decay_constants(weight_decay: Option<f64>) -> Constants {
    let factor = weight_decay.unwrap_or_default() as f32;
    constants! { "DECAYS" => weight_decay.is_some(), "WEIGHT_DECAY" => factor }
}

/// Operations of weight decay on one weight.
pub(crate) fn decay_flops(weight_decay: Option<f64>) -> usize {
    if weight_decay.is_some() { 3 } else { 0 }
}

/// Weight decay in the name of a case.
pub(crate) fn decay_title(weight_decay: Option<f64>) -> &'static str {
    if weight_decay.is_some() { ", weight decay" } else { "" }
}

/// Whether the whole update does nothing: where the step is guarded and an earlier batch of the pass tripped, or the loss of
/// its own batch is not finite, which trips.
///
/// loss `[_]`, of which only element `slot` is read; tripwire `[1]`: the batch that tripped, counted from 1, or 0.
pub(crate) fn held<T: Real>(batch: &BatchParams, loss: &[T], tripwire: &mut [u32]) -> bool {
    if batch.guarded == 0 {
        return false;
    }
    if tripwire[0] != 0 && tripwire[0] <= batch.slot {
        return true;
    }
    let bad = !loss[batch.slot as usize].is_finite();
    if bad {
        tripwire[0] = batch.slot + 1;
    }
    bad
}

/// A weight before its update: `w - w * weight_decay * learning_rate` where there is weight decay.
pub(crate) fn decayed<T: Real>(weight_decay: Option<f64>, batch: &BatchParams, w: T) -> T {
    match weight_decay {
        Some(weight_decay) => w - w * T::of(weight_decay) * T::of(f64::from(batch.learning_rate)),
        None => w,
    }
}

/// The numbers of an update's argument; `state` gives those of its state.
pub(crate) fn update_input<O>(
    draw: &mut Draw<'_, O>,
    state: impl Fn(usize, &mut Stream) -> Vec<f32>,
) -> Values {
    match draw.spec.name {
        "tripwire" => tripwire(draw),
        "loss" => losses(draw),
        "gradient" => Values::Floats(gradients(draw)),
        "state" => Values::Floats(state(draw.len, draw.stream)),
        _ => draw.plain(),
    }
}

/// What an update finds in the tripwire.
fn tripwire<O>(draw: &Draw<'_, O>) -> Values {
    // Batches count from 1, so that this one is slot + 1.
    Values::Integers(vec![match draw.case.wire {
        Wire::Clear | Wire::BadLoss | Wire::BadGradients => 0,
        Wire::Unguarded | Wire::TrippedBefore => draw.case.batch.slot,
        Wire::TrippedNow => draw.case.batch.slot + 1,
    }])
}

/// The loss of each batch of the pass, of which an update may look at its own only.
fn losses<O>(draw: &Draw<'_, O>) -> Values {
    let bad = matches!(draw.case.wire, Wire::Unguarded | Wire::BadLoss);
    let (own, others) = if bad { (f32::NEG_INFINITY, 0.5) } else { (0.5, f32::NAN) };
    let mut values = vec![others; draw.len];
    values[draw.case.batch.slot as usize] = own;
    Values::Floats(values)
}

/// Gradients of every magnitude down to those whose square vanishes, and none at all; bad ones where the case wants them.
fn gradients<O>(draw: &mut Draw<'_, O>) -> Vec<f32> {
    let scales = [1.0, 1e-2, 1e-4, 1e-6, 1e-20, 0.0, 10.0];
    let mut values: Vec<f32> =
        (0..draw.len).map(|i| scales[i % scales.len()] * Numbers::Uniform.draw(draw.stream)).collect();
    if draw.case.wire == Wire::BadGradients {
        let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        values.iter_mut().step_by(5).zip(bad.into_iter().cycle()).for_each(|(value, bad)| *value = bad);
    }
    values
}

/// A running mean of gradients as training leaves it; fresh zeros at every ninth place.
pub(crate) fn first_mean(len: usize, stream: &mut Stream) -> Vec<f32> {
    let mean = |i: usize| if i % 9 == 8 { 0.0 } else { Numbers::Uniform.draw(stream) * 0.01 };
    (0..len).map(mean).collect()
}

/// State as training leaves it: `v`, then `m`, then `a` with `a^2` well below `v`; fresh zeros at every ninth place.
pub(crate) fn squares_and_means(len: usize, momentum: bool, centered: bool, stream: &mut Stream) -> Vec<f32> {
    let fresh = |i: usize| i % 9 == 8;
    let a: Vec<f32> =
        (0..len).map(|i| if fresh(i) { 0.0 } else { Numbers::Uniform.draw(stream) * 0.1 }).collect();
    let v = a.iter().map(|a| 2.0 * a * a);
    let mut state: Vec<f32> = v.collect();
    if momentum {
        state.extend(first_mean(len, stream));
    }
    if centered {
        state.extend(a);
    }
    state
}

/// A weight after weight decay, with its error.
pub(crate) fn decayed_weight(weight_decay: Option<f64>, batch: &BatchParams, w: f32) -> Rough {
    let w = Rough::exact(w);
    match weight_decay {
        Some(factor) => w - w * Rough::constant(factor) * Rough::exact(batch.learning_rate),
        None => w,
    }
}

/// One weight's gradient, state and value before the update.
pub(crate) struct Before {
    pub(crate) g: Rough,
    pub(crate) state: [f32; 2],
    pub(crate) w: f32,
}

/// Bounds of an update with so many slots of state; `after` gives state and weight.
pub(crate) fn update_bounds<O>(
    trial: &Trial<'_, O>,
    slots: usize,
    after: impl Fn(Before) -> ([Rough; 2], Rough),
) -> Vec<Bound> {
    if trial.case.wire.holds() {
        return trial.exact();
    }
    let gradient = trial.floats(0);
    let last = trial.arguments.len() - 1;
    let (parameter, state) = (trial.floats(last), if slots > 0 { trial.floats(last - 1) } else { &[][..] });
    let len = parameter.len();
    let mut of_state = vec![0.0; state.len()];
    let mut of_parameter = vec![0.0; len];
    // A gradient that is not finite moves nothing.
    for i in (0..len).filter(|&i| gradient[i].is_finite()) {
        let slot = |slot: usize| state.get(slot * len + i).copied().unwrap_or_default();
        let before = Before { g: Rough::exact(gradient[i]), state: [slot(0), slot(1)], w: parameter[i] };
        let (state, w) = after(before);
        (0..slots).for_each(|slot| of_state[slot * len + i] = state[slot].error);
        of_parameter[i] = w.error;
    }
    let mut bounds = trial.last(Bound::Each(of_parameter));
    if slots > 0 {
        bounds[last - 1] = Bound::Each(of_state);
    }
    bounds
}
