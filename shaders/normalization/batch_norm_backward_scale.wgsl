// import shared/{alone,together}.wgsl

// batch_norm_backward_scale: d_gamma[c] = sum_r dy[r, c] * ((x[r, c] - mean[c]) * inverse_deviation[c]), in parts: partial[s] sums the
// s-th range of TERMS_PER_PART rows. dy is zero in rows past the batch's samples.
// One sum per part and Real of columns (shared/alone.wgsl, shared/together.wgsl).
//
// dy                [ROWS, COLUMNS]
// x                 [ROWS, COLUMNS]
// mean              [COLUMNS]
// inverse_deviation [COLUMNS]
// partial           [PARTS, COLUMNS]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read> x: array<Real>;
@group(0) @binding(2) var<storage, read> mean: array<Real>;
@group(0) @binding(3) var<storage, read> inverse_deviation: array<Real>;
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
    let average = mean[MEAN_BASE + c];
    let inverse = inverse_deviation[INVERSE_DEVIATION_BASE + c];
    var total = Real();
    for (var r = first + share_of(local); r < end; r += SHARES) {
        total += dy[DY_BASE + r * REALS + c] * ((x[X_BASE + r * REALS + c] - average) * inverse);
    }
    total = together(total, local);
    if writes_sum(group, local) {
        partial[PARTIAL_BASE + index] = total;
    }
}
