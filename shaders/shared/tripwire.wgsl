// The tripwire of an update. `tripwire` holds the row of the pass, counted from 1, in which a loss or a gradient was not
// finite, and 0 as long as all were. Where the step is guarded, nothing is updated after such a row, nor in it when it is
// the loss, and no weight follows a gradient that is not finite (guarded.wgsl).
fn trip() {
    atomicStore(&tripwire[TRIPWIRE_BASE], batch.slot + 1u);
}

// Whether the whole update does nothing. Every invocation of one row is told the same.
fn held() -> bool {
    if batch.guarded == 0u {
        return false;
    }
    let tripped = atomicLoad(&tripwire[TRIPWIRE_BASE]);
    if tripped != 0u && tripped <= batch.slot {
        return true;
    }
    if (bitcast<u32>(loss[LOSS_BASE + batch.slot]) & EXPONENT) != EXPONENT {
        return false;
    }
    trip();
    return true;
}

// Whether this invocation has met an element of a gradient that may not be followed.
var<private> refused: bool;

// Looks at a gradient.
fn watch(g: Real) {
    refused |= any((bitcast<Index>(g) & Index(EXPONENT)) == forbidden());
}

// Trips for what was seen, once: an atomic access for every weight would cost more than its update.
fn report() {
    if refused {
        trip();
    }
}
