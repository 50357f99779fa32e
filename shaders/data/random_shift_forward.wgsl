// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/philox.wgsl
// import shared/random_shift.wgsl

// random_shift_forward: y[n, b, i, a] = (1 - s) x[n, b, k, a] + s x[n, b, k + 1, a], where k + s is the place from which pixel i comes,
// and what is outside counts as FILL_VALUE.
// One invocation per Real.
//
// x [BATCH, BEFORE, LEN, AFTER]
// y [BATCH, BEFORE, LEN, AFTER]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> y: array<Real>;

const REALS = AFTER / WIDTH;

// The pixel with this number of a line that begins at `line`.
fn pixel(line: u32, k: i32, a: u32) -> Real {
    if k < 0 || k >= i32(LEN) {
        return Real(FILL_VALUE);
    }
    return x[X_BASE + line + u32(k) * REALS + a];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let a = index % REALS;
    let row = index / (REALS * LEN);
    let taps = taps_of(index / REALS % LEN, shift_of(row / BEFORE));
    var value = pixel(row * LEN * REALS, taps.first, a);
    if taps.share != 0 {
        let share = f32(taps.share) / f32(PIXEL);
        value = (1.0 - share) * value + share * pixel(row * LEN * REALS, taps.first + 1, a);
    }
    y[Y_BASE + index] = value;
}
