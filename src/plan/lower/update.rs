//! Lowering of penalties, of the clipping of gradients, and of the optimizer.

use super::super::{Buffer, PlanError, Role, Stage, Tensor};
use crate::layers::kit::{ALIGNMENT, Builder};
use crate::model::{Clipping, Network, NetworkLayer, Optimizer, Regularizer};
use crate::ops::{
    AdadeltaUpdate, AdamUpdate, AddPenalty, ClipByNorm, ClipByValue, LionUpdate, MovingAverage,
    RmspropUpdate, SgdMomentumUpdate, SgdUpdate, SumOfSquares, WeightPenalty, WeightPenaltyGradient,
};
use crate::ops::{DATA, Dtype, Hole, Op};

/// Name of the buffer that holds one sum over weights or gradients, used at once by the next step.
const TOTAL: &str = "total";

/// Adds the penalties of kernels to the loss of the batch.
pub(super) fn penalties(b: &mut Builder, network: &Network) -> Result<(), PlanError> {
    for (layer, what, regularizer) in penalised(network) {
        let kernel = b.weight(&layer.place(), what);
        let op = WeightPenalty { len: kernel.len(), regularizer };
        let penalty = total(b);
        let name = step_name(layer, what, "penalty");
        b.step_in_parts(Stage::Penalty, name.clone(), op, vec![flat(kernel)], penalty.clone())?;
        let loss = Tensor { buffer: loss_buffer(b), offset: 0, shape: vec![DATA] };
        b.step(Stage::Penalty, format!("{name}.add"), AddPenalty, vec![penalty, loss])?;
    }
    Ok(())
}

/// Adds the gradients of the penalties to those of the kernels.
pub(super) fn penalty_gradients(b: &mut Builder, network: &Network) -> Result<(), PlanError> {
    for (layer, what, regularizer) in penalised(network) {
        let Some(gradient) = b.trained(&layer.place(), what) else { continue };
        let kernel = b.weight(&layer.place(), what);
        let op = WeightPenaltyGradient { len: kernel.len(), regularizer };
        let name = step_name(layer, what, "penalty_gradient");
        b.step(Stage::PenaltyGradient, name, op, vec![flat(kernel), flat(gradient)])?;
    }
    Ok(())
}

/// Clipping, update, and the moving average of the weights, which is the last slot of the optimizer's state; returns that
/// state, where there is any, and the average.
pub(super) fn update(
    b: &mut Builder,
    network: &Network,
    optimizer: Optimizer,
) -> Result<[Option<Tensor>; 2], PlanError> {
    let len = b.buffers[0].len;
    let arena = |buffer| Tensor { buffer, offset: 0, shape: vec![len] };
    match optimizer.clipping() {
        None => {}
        Some(Clipping::Value(limit)) => {
            let op = ClipByValue { len, limit };
            b.step(Stage::Update, "update/clip".to_owned(), op, vec![arena(1)])?;
        }
        // The gaps between tensors add nothing to the norm.
        Some(Clipping::GlobalNorm(limit)) => clip_by_norm(b, "update/clip", limit, arena(1))?,
        Some(Clipping::Norm(limit)) => {
            for weight in network.weights().filter(|weight| weight.trainable) {
                let gradient = flat(b.gradients[&weight.name].clone());
                let name = format!("{}_clip", weight.name.replace('.', "/"));
                clip_by_norm(b, &name, limit, gradient)?;
            }
        }
    }
    let (slots, ema) = (optimizer.slots(), optimizer.ema());
    let all = slots + usize::from(ema.is_some());
    let kept = (all > 0).then(|| b.tensor("optimizer_state", Role::OptimizerState, Dtype::F32, &[all, len]));
    let state = kept.clone().filter(|_| slots > 0).map(|kept| Tensor { shape: vec![slots, len], ..kept });
    let average = kept.clone().filter(|_| ema.is_some());
    let average = average.map(|kept| Tensor { offset: slots * len, shape: vec![len], ..kept });
    let op: Op = match optimizer {
        Optimizer::Sgd(sgd) if slots == 0 => SgdUpdate { len, sgd }.into(),
        Optimizer::Sgd(sgd) => SgdMomentumUpdate { len, sgd }.into(),
        Optimizer::Adadelta(adadelta) => AdadeltaUpdate { len, adadelta }.into(),
        Optimizer::RmsProp(rmsprop) => RmspropUpdate { len, rmsprop, hole: Hole::default() }.into(),
        Optimizer::Adam(adam) => AdamUpdate { len, adam }.into(),
        Optimizer::AdamW(adamw) => AdamUpdate { len, adam: adamw.adam() }.into(),
        Optimizer::Lion(lion) => LionUpdate { len, lion }.into(),
    };
    let loss = Tensor { buffer: loss_buffer(b), offset: 0, shape: vec![DATA] };
    let tripwire = b.tensor("tripwire", Role::Tripwire, Dtype::U32, &[1]);
    b.add_late(&loss, &tripwire)?;
    let guards = [loss, tripwire];
    let [loss, tripwire] = guards.clone().map(Some);
    let args = [Some(arena(1)), loss, tripwire, state, Some(arena(0))];
    let args = args.into_iter().flatten().collect();
    b.step(Stage::Update, format!("update/{}", optimizer.name()), op, args)?;
    if let (Some(ema), Some(average)) = (ema, &average) {
        let args = guards.into_iter().chain([average.clone(), arena(0)]).collect();
        b.step(Stage::Update, "update/moving_average".to_owned(), MovingAverage { len, ema }, args)?;
    }
    Ok([kept, average])
}

fn clip_by_norm(b: &mut Builder, name: &str, limit: f64, gradient: Tensor) -> Result<(), PlanError> {
    let len = gradient.len();
    let square_sum = total(b);
    let op = SumOfSquares { len };
    let args = vec![gradient.clone()];
    b.step_in_parts(Stage::Update, format!("{name}.squares"), op, args, square_sum.clone())?;
    b.step(Stage::Update, name.to_owned(), ClipByNorm { len, limit }, vec![square_sum, gradient])
}

/// The one element of the buffer for sums over weights or gradients.
fn total(b: &mut Builder) -> Tensor {
    // A layer, too, may have this name.
    let is_total = |buffer: &Buffer| buffer.role == Role::Scratch && buffer.name == TOTAL;
    let known = b.buffers.iter().position(is_total);
    let buffer = known.unwrap_or_else(|| b.buffer(TOTAL, Role::Scratch, Dtype::F32, ALIGNMENT));
    Tensor { buffer, offset: 0, shape: vec![1] }
}

/// Where the loss of each batch goes.
fn loss_buffer(b: &Builder) -> usize {
    let is_loss = |role, dtype| role == Role::Metrics && dtype == Dtype::F32;
    let place = b.buffers.iter().position(|buffer| is_loss(buffer.role, buffer.dtype));
    place.unwrap_or_default()
}

/// The layers with penalties of weights that are trained, each with the layer's own name for the weight; as in Keras, what
/// is not trained is not penalised.
fn penalised(network: &Network) -> impl Iterator<Item = (&NetworkLayer, &'static str, Regularizer)> {
    network.layers.iter().flat_map(|layer| {
        let trained = |what: &str| {
            let name = layer.place().weight(what);
            layer.weights.iter().any(|weight| weight.trainable && weight.name == name)
        };
        let penalties = layer.layer.penalties().into_iter().filter(move |(what, _)| trained(what));
        penalties.map(move |(what, regularizer)| (layer, what, regularizer))
    })
}

/// `<layer>/penalty` of a kernel, `<layer>/<weight>_penalty` of other weights.
fn step_name(layer: &NetworkLayer, what: &str, step: &str) -> String {
    match what {
        "kernel" => layer.place().step(step),
        _ => layer.place().step(&format!("{what}_{step}")),
    }
}

/// The same elements in one dimension.
fn flat(tensor: Tensor) -> Tensor {
    Tensor { shape: vec![tensor.len()], ..tensor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Adam, AdamW, Dense, Flatten, Lion, Loss, RmsProp, Sequential, Sgd};
    use crate::plan::Plan;

    fn plan(regularizer: Option<Regularizer>, optimizer: Optimizer) -> Plan {
        let mut hidden = Dense::new(64);
        hidden.kernel_regularizer = regularizer;
        let model = Sequential::new([20, 20, 1]).add(Flatten::new()).add(hidden).add(Dense::new(3));
        Plan::build(&model.network().unwrap(), Loss::default(), optimizer, 8).unwrap()
    }

    /// Names of the steps of a plan that this file lowers.
    fn names(plan: &Plan) -> Vec<&str> {
        let ours =
            |name: &&str| name.contains("penalty") || name.contains("clip") || name.starts_with("update/");
        plan.steps.iter().map(|step| step.name.as_str()).filter(ours).collect()
    }

    #[test]
    fn what_is_asked_for_is_in_the_plan_and_nothing_else() {
        let (sgd, adam) = (Sgd::default(), Adam::default());
        let limit = Some(1.0);
        let rows: [(Optimizer, &[&str]); 8] = [
            (sgd.into(), &["update/sgd"]),
            (Sgd { use_ema: true, ..sgd }.into(), &["update/sgd", "update/moving_average"]),
            (Sgd { momentum: 0.9, ..sgd }.into(), &["update/sgd"]),
            (AdamW::default().into(), &["update/adamw"]),
            (Optimizer::default(), &["update/rmsprop"]),
            (Sgd { clipvalue: limit, ..sgd }.into(), &["update/clip", "update/sgd"]),
            (
                Adam { global_clipnorm: limit, ..adam }.into(),
                &["update/clip.squares", "update/clip.squares.sum", "update/clip", "update/adam"],
            ),
            (
                Adam { clipnorm: limit, ..adam }.into(),
                &[
                    "dense/kernel_clip.squares",
                    "dense/kernel_clip.squares.sum",
                    "dense/kernel_clip",
                    "dense/bias_clip.squares",
                    "dense/bias_clip",
                    "dense_1/kernel_clip.squares",
                    "dense_1/kernel_clip",
                    "dense_1/bias_clip.squares",
                    "dense_1/bias_clip",
                    "update/adam",
                ],
            ),
        ];
        for (optimizer, expected) in rows {
            assert_eq!(names(&plan(None, optimizer)), expected, "{optimizer:?}");
        }
        let penalised = plan(Some(Regularizer::l1(0.1)), Sgd::default().into());
        assert_eq!(
            names(&penalised),
            [
                "dense/penalty",
                "dense/penalty.sum",
                "dense/penalty.add",
                "dense/penalty_gradient",
                "update/sgd"
            ]
        );
        let nothing = plan(Some(Regularizer::default()), Sgd::default().into());
        assert_eq!(names(&nothing), ["update/sgd"]);
    }

    #[test]
    fn only_what_needs_state_has_some() {
        let of = |optimizer: Optimizer| plan(None, optimizer).state.map(|state| state.shape[0]);
        assert_eq!(of(Sgd::default().into()), None);
        assert_eq!(of(Sgd { momentum: 0.5, ..Sgd::default() }.into()), Some(1));
        assert_eq!(of(Adam::default().into()), Some(2));
        // An average is one more.
        assert_eq!(of(Sgd { use_ema: true, ..Sgd::default() }.into()), Some(1));
        assert_eq!(of(Adam { use_ema: true, ..Adam::default() }.into()), Some(3));
        assert_eq!(of(Lion::default().into()), Some(1));
        assert_eq!(of(RmsProp { momentum: 0.5, centered: true, ..RmsProp::default() }.into()), Some(3));
    }

    #[test]
    fn a_gradient_that_something_else_needs_is_stored() {
        let rmsprop = RmsProp::default();
        let limit = Some(1.0);
        let l2 = Some(Regularizer::l2(0.1));
        // (penalty, optimizer, whether the gradient goes straight into the update)
        let rows = [
            (None, rmsprop, true),
            (None, RmsProp { weight_decay: Some(0.1), ..rmsprop }, true),
            (None, RmsProp { clipvalue: limit, ..rmsprop }, false),
            (None, RmsProp { clipnorm: limit, ..rmsprop }, false),
            (None, RmsProp { global_clipnorm: limit, ..rmsprop }, false),
            (l2, rmsprop, false),
        ];
        for (regularizer, rmsprop, expected) in rows {
            let fused = plan(regularizer, rmsprop.into()).fuse();
            let straight = fused.steps.iter().any(|step| step.op.kind() == "dense_rmsprop_update");
            assert_eq!(straight, expected, "{regularizer:?}, {rmsprop:?}");
        }
    }

    /// Names of layers are free: one that is called like a buffer of ours does not share it.
    #[test]
    fn a_layer_may_have_the_name_of_a_buffer() {
        for name in ["total", "partials", "parameters", "loss"] {
            let plan = |name: &str| {
                let l2 = Regularizer { l1: 0.0, l2: 0.1 };
                let layer = Dense::new(64).kernel_regularizer(l2).name(name);
                let model = Sequential::new([40, 40, 1]).add(Flatten::new()).add(layer).add(Dense::new(3));
                let plan =
                    Plan::build(&model.network().unwrap(), Loss::default(), Optimizer::default(), 4).unwrap();
                plan.fuse().steps.into_iter().map(|step| (step.op, step.args)).collect::<Vec<_>>()
            };
            assert_eq!(plan(name), plan("other"), "{name}");
        }
    }
}
