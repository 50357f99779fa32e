// import shared/{alone,together}.wgsl

// layer_norm_backward_scale: d_gamma[c] = sum_r dy[r, c] * ((x[r, c] - mean[r]) * inverse_deviation[r]), in parts: partial[s] sums the
// s-th range of TERMS_PER_PART rows.
// One sum per part and Real of columns (shared/alone.wgsl, shared/together.wgsl).
//
// dy                [ROWS, COLUMNS]
// x                 [ROWS, COLUMNS]
// mean              [ROWS]
// inverse_deviation [ROWS]
// partial           [PARTS, COLUMNS]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read> x: array<Real>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> inverse_deviation: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial: array<Real>;

const REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = sum_of(group, local);
    if is_idle(index) {
        return;
    }
    let c = index % REALS;
    let first = index / REALS * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, ROWS);
    var total = Real();
    for (var r = first + share_of(local); r < end; r += SHARES) {
        let distance = x[X_BASE + r * REALS + c] - mean[MEAN_BASE + r];
        total += dy[DY_BASE + r * REALS + c] * (distance * inverse_deviation[INVERSE_DEVIATION_BASE + r]);
    }
    total = together(total, local);
    if writes_sum(group, local) {
        partial[PARTIAL_BASE + index] = total;
    }
}
