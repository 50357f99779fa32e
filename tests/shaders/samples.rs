//! Steps for which every kernel is tried: those of whole models, and the cases of `verify`.

use shadegrad::model::{Loss, RmsProp};
use shadegrad::ops::{Op, cases};
use shadegrad::plan::Plan;

use crate::common::{activation_models, small, tutorial, unusual_models};

/// A step kind with its sizes, and where its arguments begin in their buffers.
pub struct Sample {
    /// Where it comes from, for messages.
    pub place: String,
    pub op: Op,
    pub bases: Vec<usize>,
}

/// Every sample once.
pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    let plain = unusual_models().into_iter().chain([("tutorial", tutorial()), ("small", small())]);
    let plain = plain.map(|(name, model)| (name, model, Loss::default()));
    for (name, model, loss) in plain.chain(activation_models()) {
        for batch in [1, 32, 64] {
            let network = model.network().unwrap();
            for (flags, rmsprop) in rmsprop_flags() {
                let plan = Plan::build(&network, loss, rmsprop.into(), batch).unwrap();
                let place = format!("{name}, batch {batch}, {flags}");
                let fused = plan.clone().fuse();
                all.extend(plan.steps.into_iter().chain(fused.steps).map(|step| Sample {
                    place: format!("{place}, {}", step.name),
                    op: step.op,
                    bases: step.args.iter().map(|tensor| tensor.offset).collect(),
                }));
            }
        }
    }
    for case in cases() {
        for base in [0, 4096] {
            let bases = vec![base; case.op.args().len()];
            let place = format!("{} at {base}", case.name());
            all.push(Sample { place, op: case.op, bases });
        }
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|sample| seen.insert(format!("{:?}{:?}", sample.op, sample.bases)));
    all
}

/// RMSprop in every combination of its flags.
fn rmsprop_flags() -> [(&'static str, RmsProp); 5] {
    let plain = RmsProp::default();
    [
        ("plain", plain),
        ("momentum", RmsProp { momentum: 0.9, ..plain }),
        ("centered", RmsProp { centered: true, ..plain }),
        ("decaying", RmsProp { weight_decay: Some(0.004), ..plain }),
        ("centered with momentum", RmsProp { centered: true, momentum: 0.9, ..plain }),
    ]
}
