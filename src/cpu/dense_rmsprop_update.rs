use super::Real;
use super::matmul_at_b::matmul_at_b;
use super::rmsprop_update::rmsprop_update;
use super::sum_partials::sum_partials;
use crate::model::RmsProp;
use crate::plan::{Hole, MatmulShape, StepParams};

/// `g = a^T b`, with the sums of b for the bias as its last row, then RMSprop with g of the weights that begin at `first`:
/// [`matmul_at_b`], [`rmsprop_update`].
///
/// a `[k, m]`, b `[k, n]`, loss `[_]`, tripwire `[1]`, state `[slots, len]`, parameter `[len]`.
#[expect(clippy::too_many_arguments, reason = "those of its shader")]
pub fn dense_rmsprop_update<T: Real>(
    s: &MatmulShape,
    first: usize,
    rmsprop: &RmsProp,
    step: &StepParams,
    a: &[T],
    b: &[T],
    loss: &[T],
    tripwire: &mut [u32],
    state: &mut [T],
    parameter: &mut [T],
) {
    let len = parameter.len();
    let layer = first..first + (s.m + 1) * s.n;
    let mut partial = vec![T::zero(); s.split().parts * layer.len()];
    matmul_at_b(s, true, a, b, &mut partial);
    let mut gradient = vec![T::zero(); layer.len()];
    sum_partials(&partial, &mut gradient);
    let mut of_layer: Vec<T> = state.chunks(len).flat_map(|slot| slot[layer.clone()].to_vec()).collect();
    let of_parameter = &mut parameter[layer.clone()];
    let hole = Hole::default();
    rmsprop_update(rmsprop, &hole, step, &gradient, loss, tripwire, &mut of_layer, of_parameter);
    for (slot, updated) in state.chunks_mut(len).zip(of_layer.chunks(layer.len())) {
        slot[layer.clone()].copy_from_slice(updated);
    }
}
