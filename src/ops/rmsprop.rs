use std::ops::Range;

use super::kit::*;
use crate::optimizers::RmsProp;
use crate::random::Stream;

/// Weights that an update leaves to another step: `len` of them from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "both are named above")]
pub struct Hole {
    pub first: usize,
    pub len: usize,
}

/// RMSprop over the parameter arena, of all weights outside the hole; the formula stands with [`RmsProp`].
///
/// What the tripwire forbids stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[slots, len]`: slot 0 is `v`,
/// then `m` with momentum, then `a` when centered.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named above")]
pub struct RmspropUpdate {
    pub len: usize,
    pub rmsprop: RmsProp,
    pub hole: Hole,
}

impl OpKind for RmspropUpdate {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/rmsprop_update.wgsl"),
        elements: &[Element::Real, Element::F32, Element::AtomicU32, Element::Real, Element::Real],
        reads_batch: true,
        by_four: Some(|op| [op.len, op.hole.first, op.hole.len].iter().all(|size| size.is_multiple_of(4))),
        invocations: |op, width| (op.len - op.hole.len) / width,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "rmsprop_update"
    }

    fn args(&self) -> Vec<ArgSpec> {
        update_args(self.len, self.rmsprop.slots())
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        (self.len - self.hole.len) * update_flops(&self.rmsprop)
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let sizes = constants! {
            "LEN" => self.len,
            "HOLE_FIRST" => self.hole.first,
            "HOLE_LEN" => self.hole.len,
        };
        [sizes, settings(&self.rmsprop)].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(gradient), Arg::In(loss), Arg::OutU32(tripwire), Arg::Out(state), Arg::Out(parameter)] =
            args
        else {
            return Err(OtherArguments);
        };
        if !held(batch, loss, tripwire) {
            let Hole { first, len } = self.hole;
            for range in [0..first, first + len..self.len] {
                let gradient = &gradient[range.clone()];
                rmsprop_update(&self.rmsprop, batch, tripwire, range, gradient, state, parameter);
            }
        }
        Ok(())
    }

    fn title(&self) -> String {
        let hole = match self.hole.len {
            0 => String::new(),
            len => format!(" but {len} from {}", self.hole.first),
        };
        format!("{} parameters{hole}{}", self.len, settings_title(&self.rmsprop))
    }

    fn cases() -> Vec<Case<Self>> {
        let Settings { plain, momentum, centered, both, decaying, both_decaying } = Settings::new();
        let update = |len, rmsprop| Case::of(RmspropUpdate { len, rmsprop, hole: Hole::default() });
        let rest = |len, first, hole, rmsprop| {
            Case::of(RmspropUpdate { len, rmsprop, hole: Hole { first, len: hole } })
        };
        let mut table = vec![
            // The tutorial's arena.
            update(347_152, plain),
            rest(347_152, 320, 346_176, plain),
            rest(10, 3, 5, plain),
            rest(24, 16, 8, both),
            rest(3000, 0, 1000, centered).folded(),
            rest(3001, 100, 1000, momentum).folded(),
            update(1, plain),
            update(4, both),
            update(67, plain),
            update(3000, both).folded(),
            update(3000, plain).folded(),
            update(68, decaying),
            update(31, both_decaying),
            rest(40, 8, 16, both_decaying),
        ];
        // Each variant, with every state.
        for case in [update(67, both_decaying), update(1028, both), rest(40, 8, 16, both)] {
            for wire in Wire::NOT_CLEAR {
                table.push(case.finds(wire));
            }
        }
        for rmsprop in [momentum, centered, both] {
            table.extend([update(261, rmsprop), update(1028, rmsprop)]);
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let RmspropUpdate { rmsprop, .. } = draw.case.op;
        update_input(draw, |len, stream| state(&rmsprop, len, stream))
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Case { op: RmspropUpdate { rmsprop, hole, .. }, batch, wire, .. } = trial.case;
        let mut bounds = trial.exact();
        if !wire.holds() {
            let gradient = trial.floats(0);
            let weights = (0..hole.first).chain(hole.first + hole.len..gradient.len());
            let of = |at: usize| [f64::from(gradient[at]), 0.0];
            let before = [trial.floats(3), trial.floats(4)];
            [bounds[3], bounds[4]] = rmsprop_bounds(rmsprop, batch, weights, &of, before);
        }
        Ok(bounds)
    }

    fn touched(&self) -> Option<[usize; 2]> {
        Some([self.len - self.hole.len, self.len])
    }
}

/// The settings of RMSprop, by the names that `shared/rmsprop.wgsl` uses.
pub(super) fn settings(rmsprop: &RmsProp) -> Constants {
    let with_momentum = rmsprop.momentum > 0.0;
    let own = constants! {
        "RHO" => rmsprop.rho as f32,
        "ONE_MINUS_RHO" => (1.0 - rmsprop.rho) as f32,
        "MOMENTUM" => rmsprop.momentum as f32,
        "EPSILON" => rmsprop.epsilon as f32,
        "CENTERED" => rmsprop.centered,
        "WITH_MOMENTUM" => with_momentum,
        "M_SLOT" => 1usize,
        "A_SLOT" => 1 + usize::from(with_momentum),
    };
    [decay_constants(rmsprop.weight_decay), own].concat()
}

/// The settings in words, behind commas.
pub(super) fn settings_title(rmsprop: &RmsProp) -> String {
    let momentum = if rmsprop.momentum > 0.0 { ", momentum" } else { "" };
    let centered = if rmsprop.centered { ", centered" } else { "" };
    format!("{momentum}{centered}{}", decay_title(rmsprop.weight_decay))
}

/// Operations on one weight.
pub(super) fn update_flops(rmsprop: &RmsProp) -> usize {
    let centered = if rmsprop.centered { 5 } else { 0 };
    let momentum = if rmsprop.momentum > 0.0 { 2 } else { 0 };
    9 + centered + momentum + decay_flops(rmsprop.weight_decay)
}

/// State as training leaves it.
pub(super) fn state(rmsprop: &RmsProp, len: usize, stream: &mut Stream) -> Vec<f32> {
    squares_and_means(len / rmsprop.slots(), rmsprop.momentum > 0.0, rmsprop.centered, stream)
}

/// Settings on which updates are tried.
pub(super) struct Settings {
    pub(super) plain: RmsProp,
    pub(super) momentum: RmsProp,
    pub(super) centered: RmsProp,
    pub(super) both: RmsProp,
    pub(super) decaying: RmsProp,
    pub(super) both_decaying: RmsProp,
}

impl Settings {
    pub(super) fn new() -> Self {
        let plain = RmsProp::default();
        let both = RmsProp { rho: 0.7, momentum: 0.5, epsilon: 1e-3, centered: true, ..plain };
        Settings {
            plain,
            momentum: RmsProp { momentum: 0.9, ..plain },
            centered: RmsProp { centered: true, ..plain },
            both,
            decaying: RmsProp { weight_decay: Some(0.004), ..plain },
            both_decaying: RmsProp { weight_decay: Some(0.2), ..both },
        }
    }
}

/// The twin, for the weights in a range; their gradients, and state and weights of all.
pub(super) fn rmsprop_update<T: Real>(
    rmsprop: &RmsProp,
    batch: &BatchParams,
    tripwire: &mut [u32],
    range: Range<usize>,
    gradient: &[T],
    state: &mut [T],
    parameter: &mut [T],
) {
    let [rho, one_minus_rho] = [rmsprop.rho, 1.0 - rmsprop.rho].map(T::of);
    let [momentum, epsilon] = [rmsprop.momentum, rmsprop.epsilon].map(T::of);
    let learning_rate = T::of(f64::from(batch.learning_rate));
    let with_momentum = rmsprop.momentum > 0.0;
    let after = |g, [mut v, mut m, mut a]: [T; 3], w| {
        v = rho * v + one_minus_rho * (g * g);
        let mut d = v;
        if rmsprop.centered {
            a = rho * a + one_minus_rho * g;
            d -= a * a;
        }
        let u = learning_rate * g / (d + epsilon).sqrt();
        let w = decayed(rmsprop.weight_decay, batch, w);
        if with_momentum {
            m = momentum * m + u;
            ([v, m, a], w - m)
        } else {
            ([v, m, a], w - u)
        }
    };
    let zero = T::zero();
    let mut weights = Moved { batch, tripwire, range, gradient, state, parameter };
    match (with_momentum, rmsprop.centered) {
        (false, false) => weights.update(|g, [v], w| {
            let ([v, ..], w) = after(g, [v, zero, zero], w);
            ([v], w)
        }),
        (true, false) => weights.update(|g, [v, m], w| {
            let ([v, m, _], w) = after(g, [v, m, zero], w);
            ([v, m], w)
        }),
        (false, true) => weights.update(|g, [v, a], w| {
            let ([v, _, a], w) = after(g, [v, zero, a], w);
            ([v, a], w)
        }),
        (true, true) => weights.update(after),
    }
}

/// The weights of a range.
struct Moved<'a, T> {
    batch: &'a BatchParams,
    tripwire: &'a mut [u32],
    range: Range<usize>,
    gradient: &'a [T],
    state: &'a mut [T],
    parameter: &'a mut [T],
}

impl<T: Real> Moved<'_, T> {
    fn update<const SLOTS: usize>(&mut self, after: impl Fn(T, [T; SLOTS], T) -> ([T; SLOTS], T) + Sync) {
        let state = slots(self.state, self.parameter.len()).map(|slot| &mut slot[self.range.clone()]);
        let parameter = &mut self.parameter[self.range.clone()];
        update_weights(
            self.batch,
            self.tripwire,
            Weights { gradient: self.gradient, state, parameter },
            after,
        );
    }
}

/// The formula of [`RmsProp`] with the error of each of its operations, for weights whose gradient and its error `gradient`
/// gives; `[state, parameter]`. The others, and those whose gradient is not finite, are not touched.
pub(super) fn rmsprop_bounds(
    rmsprop: &RmsProp,
    batch: &BatchParams,
    weights: impl Iterator<Item = usize>,
    gradient: &dyn Fn(usize) -> [f64; 2],
    [state, parameter]: [&[f32]; 2],
) -> [Bound; 2] {
    let len = parameter.len();
    let with_momentum = rmsprop.momentum > 0.0;
    let a_slot = 1 + usize::from(with_momentum);
    let one_minus_rho = 1.0 - rmsprop.rho;
    let mut bounds = [vec![0.0; state.len()], vec![0.0; len]];
    for i in weights {
        let [g, g_error] = gradient(i);
        if !g.is_finite() {
            continue;
        }
        let slot = |slot: usize| f64::from(state[slot * len + i]);
        // rho and 1 - rho are rounded constants, g*g and each product are rounded, and so is the sum.
        let v = rmsprop.rho * slot(0) + one_minus_rho * g * g;
        let of_gradient = one_minus_rho * (2.0 * g.abs() + g_error) * g_error;
        let v_error = v * (HALF_ULP + 3.0 * ULP) + of_gradient + 3.0 * FLUSHED;
        bounds[0][i] = v_error;
        let (mut d, mut d_error) = (v, v_error);
        if rmsprop.centered {
            let terms = [rmsprop.rho * slot(a_slot), one_minus_rho * g];
            let a = terms[0] + terms[1];
            let rounding = (terms[0].abs() + terms[1].abs()) * (HALF_ULP + 2.0 * ULP);
            let a_error = rounding + one_minus_rho * g_error + 3.0 * FLUSHED;
            bounds[0][a_slot * len + i] = a_error;
            d -= a * a;
            d_error += 2.0 * a.abs() * a_error + a * a * ULP + d.abs() * ULP;
        }
        let radicand = d + rmsprop.epsilon;
        let radicand_error = d_error + rmsprop.epsilon * HALF_ULP + radicand * ULP;
        // Of 1/sqrt: half the relative error at the least radicand that the errors allow.
        let root_error = 0.5 * radicand_error / (radicand - radicand_error).max(0.0) + SQUARE_ROOT;
        let learning_rate = f64::from(batch.learning_rate);
        let mut u = learning_rate * g / radicand.sqrt();
        let of_gradient = learning_rate * g_error / radicand.sqrt();
        let mut u_error =
            u.abs() * (ULP + root_error + DIVISION) + of_gradient + 2.0 * FLUSHED / radicand.sqrt();
        if with_momentum {
            let kept = rmsprop.momentum * slot(1);
            u += kept;
            u_error += kept.abs() * (HALF_ULP + ULP) + u.abs() * ULP + FLUSHED;
            bounds[0][len + i] = u_error;
        }
        let w = decayed_weight(rmsprop.weight_decay, batch, parameter[i]);
        bounds[1][i] = w.error + u_error + (w.value - u).abs() * ULP + FLUSHED;
    }
    bounds.map(Bound::Each)
}
