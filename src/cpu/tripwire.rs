use super::Real;
use crate::plan::StepParams;

/// Whether the whole update does nothing: where the step is guarded and an earlier row of the pass tripped, or the loss of
/// its own row is not finite, which trips.
///
/// loss `[_]`, of which only element `slot` is read; tripwire `[1]`: the row that tripped, counted from 1, or 0.
pub(super) fn held<T: Real>(step: &StepParams, loss: &[T], tripwire: &mut [u32]) -> bool {
    if step.guarded == 0 {
        return false;
    }
    if tripwire[0] != 0 && tripwire[0] <= step.slot {
        return true;
    }
    let bad = !loss[step.slot as usize].is_finite();
    if bad {
        tripwire[0] = step.slot + 1;
    }
    bad
}

/// Whether a weight stays as it is, with its state: where the step is guarded and its gradient is not finite, which trips.
pub(super) fn refused<T: Real>(step: &StepParams, g: T, tripwire: &mut [u32]) -> bool {
    let bad = step.guarded != 0 && !g.is_finite();
    if bad {
        tripwire[0] = step.slot + 1;
    }
    bad
}
