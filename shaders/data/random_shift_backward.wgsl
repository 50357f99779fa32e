// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/philox.wgsl
// import shared/random_shift.wgsl

// random_shift_backward: dx[n, b, k, a] = sum_i weight(i, k) dy[n, b, i, a], with the weight that pixel k of x has in pixel i of y.
// One invocation per Real.
//
// dy [BATCH, BEFORE, LEN, AFTER]
// dx [BATCH, BEFORE, LEN, AFTER]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read_write> dx: array<Real>;

const REALS = AFTER / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let a = index % REALS;
    let k = i32(index / REALS % LEN);
    let row = index / (REALS * LEN);
    let shift = shift_of(row / BEFORE);
    var total = Real();
    for (var i = 0u; i < LEN; i++) {
        let taps = taps_of(i, shift);
        let weight = select(0, PIXEL - taps.share, k == taps.first) + select(0, taps.share, k == taps.first + 1);
        if weight != 0 {
            total += f32(weight) * (1.0 / f32(PIXEL)) * dy[DY_BASE + (row * LEN + i) * REALS + a];
        }
    }
    dx[DX_BASE + index] = total;
}
